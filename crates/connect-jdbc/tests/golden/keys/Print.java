import java.util.HashMap;
import java.util.List;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Connector;

/**
 * Prints the keys of a Java connector, one JSON array per line: name, type, required, default, importance, group, order, width, display
 * name, dependents, recommended values. The files beside this one were made with it from Confluent's (10.10.0-SNAPSHOT) and Aiven's
 * (6.12.0-SNAPSHOT) sources, compiled against the jars of Kafka 4.3.0; no text of their documentation is in them.
 */
public final class Print {
    public static void main(String[] arguments) throws Exception {
        Connector connector = (Connector) Class.forName(arguments[0]).getDeclaredConstructor().newInstance();
        for (ConfigDef.ConfigKey key : connector.config().configKeys().values()) {
            boolean required = ConfigDef.NO_DEFAULT_VALUE.equals(key.defaultValue);
            String value = required || key.defaultValue == null
                ? null : ConfigDef.convertToString(key.defaultValue, key.type);
            List<?> recommended;
            try {
                recommended = key.recommender == null
                    ? List.of() : key.recommender.validValues(key.name, new HashMap<>());
            } catch (RuntimeException noDatabase) {
                recommended = List.of();
            }
            System.out.println("[" + String.join(",", text(key.name), text(key.type), "" + required, text(value),
                text(key.importance), text(key.group), "" + key.orderInGroup, text(key.width),
                text(key.displayName), texts(key.dependents), texts(recommended)) + "]");
        }
    }

    private static String texts(List<?> values) {
        return "[" + String.join(",", values.stream().map(Print::text).toList()) + "]";
    }

    private static String text(Object value) {
        return value == null ? "null" : "\"" + value.toString().replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }
}
