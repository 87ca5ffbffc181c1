package org.apache.kafka.connect.runtime.distributed;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.GroupRebalanceConfig;
import org.apache.kafka.common.message.JoinGroupResponseData.JoinGroupResponseMember;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.storage.ClusterConfigState;
import org.apache.kafka.connect.util.ConnectorTaskId;

/** Prints rounds of the eager protocol, from the bytes of the members to the bytes of the assignments; README.md tells the format. */
public final class EagerRounds {
    public static void main(String[] arguments) {
        GroupRebalanceConfig config =
                new GroupRebalanceConfig(10_000, 60_000, 3_000, "group", Optional.empty(), null, 100, 1_000);
        WorkerCoordinator coordinator = new WorkerCoordinator(config, new LogContext(), null, new Metrics(), "connect",
                Time.SYSTEM, "http://a/", null, null, ConnectProtocolCompatibility.EAGER, 0);
        EagerAssignor assignor = new EagerAssignor(new LogContext());
        Random random = new Random(1);
        for (int round = 1; round <= 20; round++) {
            Map<String, Integer> connectors = new TreeMap<>();
            for (int connector = random.nextInt(4); connector > 0; connector--)
                connectors.put(String.valueOf((char) ('A' + random.nextInt(6))), random.nextInt(12));
            Map<String, Map<String, String>> configs = new HashMap<>();
            connectors.keySet().forEach(connector -> configs.put(connector, Map.of()));
            coordinator.configSnapshot(new ClusterConfigState(9, null, connectors, configs, Map.of(), Map.of(), Map.of(),
                    Map.of(), Map.of(), Set.of(), Set.of()));
            System.out.println("round " + round);
            connectors.forEach((connector, tasks) -> System.out.println("set " + connector + " " + tasks));
            List<JoinGroupResponseMember> members = new ArrayList<>();
            TreeSet<String> ids = new TreeSet<>(Set.of("a"));
            for (int member = random.nextInt(4); member > 0; member--)
                ids.add(String.valueOf((char) ('a' + random.nextInt(15))));
            for (String id : ids) {
                ByteBuffer metadata = ConnectProtocol.serializeMetadata(
                        new ConnectProtocol.WorkerState("http://" + id + "/", random.nextInt(10)));
                System.out.println("member " + id + " " + HexFormat.of().formatHex(metadata.array()));
                members.add(new JoinGroupResponseMember().setMemberId(id).setMetadata(metadata.array()));
            }
            assignor.performAssignment("a", ConnectProtocolCompatibility.EAGER, members, coordinator)
                    .entrySet().stream().sorted(Map.Entry.comparingByKey())
                    .forEach(entry -> System.out.println(
                            "assigned " + entry.getKey() + " " + HexFormat.of().formatHex(entry.getValue().array())));
        }
    }
}
