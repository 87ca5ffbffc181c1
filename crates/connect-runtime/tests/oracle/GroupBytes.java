package org.apache.kafka.connect.runtime.distributed;

import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import org.apache.kafka.common.protocol.types.Struct;
import org.apache.kafka.connect.util.ConnectorTaskId;

/** Prints metadata and assignments as the Java worker writes them: a name and the bytes in hex. */
public final class GroupBytes {
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private static final String LEADER = "connect-127.0.0.1:8083-4f0e";
    private static final String LEADER_URL = "http://127.0.0.1:8083/";
    private static final String URL = "http://10.0.0.7:8084/";

    public static void main(String[] arguments) {
        ExtendedAssignment full = new ExtendedAssignment((short) 2, (short) 0, LEADER, LEADER_URL, 1234567890123L,
                List.of("주문"), List.of(task("주문", 0), task("주문", 11), task("휴", 3)),
                List.of("old"), List.of(task("old", 0)), 9_500);
        ExtendedAssignment nothing = new ExtendedAssignment((short) 2, (short) 0, LEADER, LEADER_URL, 0,
                List.of(), List.of(), List.of(), List.of(), 0);
        ExtendedAssignment mismatch = new ExtendedAssignment((short) 2, (short) 1, LEADER, LEADER_URL, 77,
                List.of(), List.of(), List.of(), List.of(), 0);
        // hash order, and tasks out of order
        ExtendedAssignment unordered = new ExtendedAssignment((short) 2, (short) 0, LEADER, LEADER_URL, 5,
                List.of("zeta", "b", "alpha"), List.of(task("only-tasks", 1), task("zeta", 2), task("alpha", 0), task("zeta", 0)),
                List.of(), List.of(task("zeta", 9), task("alpha", 4)), 0);

        print("metadata-0", ConnectProtocol.serializeMetadata(new ConnectProtocol.WorkerState(URL, 42)));
        print("metadata-0-nothing-read", ConnectProtocol.serializeMetadata(new ConnectProtocol.WorkerState(URL, -1)));
        for (boolean sessioned : new boolean[] {false, true}) {
            int version = sessioned ? 2 : 1;
            print("metadata-" + version, metadata(null, sessioned));
            print("metadata-" + version + "-empty", metadata(ExtendedAssignment.empty(), sessioned));
            print("metadata-" + version + "-nothing", metadata(nothing, sessioned));
            print("metadata-" + version + "-full", metadata(full, sessioned));
            print("assignment-" + version + "-full", assignment(full, sessioned));
            print("assignment-" + version + "-nothing", assignment(nothing, sessioned));
            print("assignment-" + version + "-mismatch", assignment(mismatch, sessioned));
            print("assignment-" + version + "-unordered", assignment(unordered, sessioned));
        }
        print("assignment-0-full", ConnectProtocol.serializeAssignment(full));
        print("assignment-0-nothing", ConnectProtocol.serializeAssignment(nothing));
        print("assignment-0-mismatch", ConnectProtocol.serializeAssignment(mismatch));
        print("assignment-0-unordered", ConnectProtocol.serializeAssignment(unordered));
        print("assignment-1-nulls", nulls());
    }

    private static ConnectorTaskId task(String connector, int task) {
        return new ConnectorTaskId(connector, task);
    }

    private static ByteBuffer metadata(ExtendedAssignment held, boolean sessioned) {
        return IncrementalCooperativeConnectProtocol.serializeMetadata(new ExtendedWorkerState(URL, 42, held), sessioned);
    }

    private static ByteBuffer assignment(ExtendedAssignment assignment, boolean sessioned) {
        return IncrementalCooperativeConnectProtocol.serializeAssignment(assignment, sessioned);
    }

    /** What the schema of version 1 allows and no worker writes. */
    private static ByteBuffer nulls() {
        Struct struct = new Struct(IncrementalCooperativeConnectProtocol.ASSIGNMENT_V1)
                .set("error", (short) 0).set("leader", LEADER).set("leader-url", LEADER_URL).set("config-offset", 3L)
                .set("assignment", null).set("revoked", null).set("delay", 0);
        ByteBuffer buffer = ByteBuffer.allocate(2 + IncrementalCooperativeConnectProtocol.ASSIGNMENT_V1.sizeOf(struct));
        buffer.putShort((short) 1);
        IncrementalCooperativeConnectProtocol.ASSIGNMENT_V1.write(buffer, struct);
        buffer.flip();
        return buffer;
    }

    private static void print(String name, ByteBuffer bytes) {
        byte[] array = new byte[bytes.remaining()];
        bytes.duplicate().get(array);
        OUT.println(name + " " + HexFormat.of().formatHex(array));
    }
}
