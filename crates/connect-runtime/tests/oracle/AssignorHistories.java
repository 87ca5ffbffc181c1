package org.apache.kafka.connect.runtime.distributed;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.storage.ClusterConfigState;
import org.apache.kafka.connect.util.ConnectorTaskId;

/**
 * Plays random histories of a group on the Java worker's incremental assignor and prints them with what it assigns; README.md
 * tells the format. Arguments: how many histories, rounds of each.
 *
 * Members are named a to o, so that Java's hash sets hold them in the order of their names; with members and work handed over in
 * order, every answer of the assignor is determined, and equal answers can be asked of another one.
 */
public final class AssignorHistories {
    private static final String MEMBERS = "abcdefghijklmno";
    private static final String CONNECTORS = "ABCDEF";
    private static final int[] MAX_DELAYS = {0, 1_000, 60_000, 300_000};

    private final Random random;
    private final Clock clock = new Clock();
    private final int maxDelay;
    private final IncrementalCooperativeAssignor assignor;
    private final TreeMap<String, Held> members = new TreeMap<>();
    private final TreeMap<String, Integer> connectors = new TreeMap<>();
    private final List<String> names = new ArrayList<>();
    private int generation = 0;
    private int completed = -1;

    public static void main(String[] arguments) {
        int histories = Integer.parseInt(arguments[0]);
        int rounds = Integer.parseInt(arguments[1]);
        for (int seed = 1; seed <= histories; seed++) {
            AssignorHistories history = new AssignorHistories(seed);
            System.out.println("history " + seed + " " + history.maxDelay);
            for (int round = 0; round < rounds; round++) {
                history.change();
                history.round();
            }
        }
    }

    private AssignorHistories(int seed) {
        random = new Random(seed);
        maxDelay = MAX_DELAYS[seed % MAX_DELAYS.length];
        assignor = new IncrementalCooperativeAssignor(new LogContext(), clock, maxDelay);
        for (char name : MEMBERS.toCharArray())
            names.add(String.valueOf(name));
        java.util.Collections.shuffle(names, random);
    }

    /** Whatever happens between two rounds. */
    private void change() {
        boolean view = false;
        switch (random.nextInt(16)) {
            case 0 -> {
                if (generation > 0) {
                    // nobody got the last assignments, the leader included
                    print("failed");
                    members.values().forEach(Held::restore);
                    completed = members.isEmpty() ? completed : previousCompleted;
                    view = true;
                }
            }
            case 1 -> {
                print("other");
                completed = ++generation;
                view = true;
            }
            case 2, 3 -> {
                String member = anyMember();
                if (member != null) {
                    print("missed " + member);
                    members.get(member).restore();
                }
            }
            case 4 -> {
                String member = anyMember();
                String other = anyMember();
                if (member != null && !member.equals(other) && !members.get(other).tasks.isEmpty()) {
                    ConnectorTaskId task = members.get(other).tasks.first();
                    print("also " + member + " " + name(task));
                    members.get(member).tasks.add(task);
                }
            }
            default -> { }
        }
        int changes = members.isEmpty() ? 3 : random.nextInt(3);
        for (int change = 0; change < changes; change++) {
            switch (random.nextInt(9)) {
                case 0, 1, 2 -> join();
                case 3, 4 -> {
                    String member = anyMember();
                    if (member != null && members.size() > 1) {
                        print("leave " + member);
                        members.remove(member);
                    }
                }
                case 5, 6, 7 -> {
                    String connector = anyConnector();
                    int tasks = random.nextInt(6);
                    // What disappears while the leader knows nothing of before stays with its worker in Java.
                    if (view)
                        tasks = Math.max(tasks, connectors.getOrDefault(connector, 0));
                    print("set " + connector + " " + tasks);
                    connectors.put(connector, tasks);
                }
                default -> {
                    String connector = anyConnector();
                    if (!view && connectors.remove(connector) != null)
                        print("drop " + connector);
                }
            }
        }
        if (members.isEmpty())
            join();
        int[] steps = {0, 7, 45, 700, 2_000, maxDelay / 2, maxDelay + 5};
        int step = steps[random.nextInt(steps.length)];
        if (step > 0) {
            print("wait " + step);
            clock.now += step;
        }
    }

    private int previousCompleted = -1;

    private void round() {
        generation++;
        Map<String, WorkerCoordinator.ConnectorsAndTasks> reported = new TreeMap<>();
        members.forEach((name, held) -> reported.put(name, held.report()));
        Map<String, Map<String, String>> configs = new HashMap<>();
        connectors.keySet().forEach(connector -> configs.put(connector, Map.of()));
        ClusterConfigState state = new ClusterConfigState(1, null, connectors, configs, Map.of(), Map.of(), Map.of(), Map.of(),
                Map.of(), Set.of(), Set.of());
        IncrementalCooperativeAssignor.ClusterAssignment answer =
                assignor.performTaskAssignment(state, completed, generation, reported);
        previousCompleted = completed;
        completed = generation;
        print("round " + assignor.delay);
        members.forEach((member, held) -> {
            StringBuilder line = new StringBuilder(member);
            Collection<String> newConnectors = answer.newlyAssignedConnectors(member);
            Collection<ConnectorTaskId> newTasks = answer.newlyAssignedTasks(member);
            Collection<String> oldConnectors = answer.newlyRevokedConnectors(member);
            Collection<ConnectorTaskId> oldTasks = answer.newlyRevokedTasks(member);
            new TreeSet<>(newConnectors).forEach(connector -> line.append(" +").append(connector));
            new TreeSet<>(newTasks).forEach(task -> line.append(" +").append(name(task)));
            new TreeSet<>(oldConnectors).forEach(connector -> line.append(" -").append(connector));
            new TreeSet<>(oldTasks).forEach(task -> line.append(" -").append(name(task)));
            if (line.length() > member.length())
                print(line.toString());
            held.remember();
            held.connectors.removeAll(oldConnectors);
            held.tasks.removeAll(oldTasks);
            held.connectors.addAll(newConnectors);
            held.tasks.addAll(newTasks);
        });
    }

    private void join() {
        if (!names.isEmpty() && members.size() < 6) {
            String member = names.remove(0);
            print("join " + member);
            members.put(member, new Held());
        }
    }

    private String anyMember() {
        return members.isEmpty() ? null : new ArrayList<>(members.keySet()).get(random.nextInt(members.size()));
    }

    private String anyConnector() {
        return String.valueOf(CONNECTORS.charAt(random.nextInt(CONNECTORS.length())));
    }

    private static String name(ConnectorTaskId task) {
        return task.connector() + task.task();
    }

    private static void print(String line) {
        System.out.println(line);
    }

    /** What a member runs, and what it ran before the last round. */
    private static final class Held {
        private TreeSet<String> connectors = new TreeSet<>();
        private TreeSet<ConnectorTaskId> tasks = new TreeSet<>();
        private TreeSet<String> connectorsBefore = new TreeSet<>();
        private TreeSet<ConnectorTaskId> tasksBefore = new TreeSet<>();

        private WorkerCoordinator.ConnectorsAndTasks report() {
            return new WorkerCoordinator.ConnectorsAndTasks.Builder().with(connectors, tasks).build();
        }

        private void remember() {
            connectorsBefore = new TreeSet<>(connectors);
            tasksBefore = new TreeSet<>(tasks);
        }

        private void restore() {
            connectors = new TreeSet<>(connectorsBefore);
            tasks = new TreeSet<>(tasksBefore);
        }
    }

    private static final class Clock implements Time {
        private long now = 1_000_000;

        @Override
        public long milliseconds() {
            return now;
        }

        @Override
        public long nanoseconds() {
            return now * 1_000_000;
        }

        @Override
        public void sleep(long ms) {
            now += ms;
        }

        @Override
        public void waitObject(Object object, Supplier<Boolean> condition, long deadline) {
            throw new UnsupportedOperationException();
        }
    }
}
