import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.io.*;
import java.lang.reflect.Proxy;
import java.nio.file.*;
import java.sql.*;
import java.util.*;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.source.*;
import org.apache.kafka.connect.storage.OffsetStorageReader;

/** Asks the Java connector's task what it makes of one column after the other; see README.md. */
public class Oracle {
  static final ObjectMapper JSON = new ObjectMapper();

  static final String[] POSTGRES_TYPES = {
    "DROP TYPE IF EXISTS mood CASCADE", "CREATE TYPE mood AS ENUM('sad','happy')",
    "DROP DOMAIN IF EXISTS posint CASCADE", "CREATE DOMAIN posint AS integer CHECK (value > 0)",
    "DROP DOMAIN IF EXISTS nonnull_text CASCADE", "CREATE DOMAIN nonnull_text AS text NOT NULL",
    "DROP DOMAIN IF EXISTS price CASCADE", "CREATE DOMAIN price AS numeric(10,2)",
    "DROP TYPE IF EXISTS pair CASCADE", "CREATE TYPE pair AS (a int, b text)",
  };

  public static void main(String[] args) throws Exception {
    String url = args[0], kind = args[1];
    PrintStream out = new PrintStream(new FileOutputStream(args[3]), true, "UTF-8");
    try (Connection connection = DriverManager.getConnection(url)) {
      Statement statement = connection.createStatement();
      if (kind.equals("mariadb")) {
        statement.execute("SET sql_mode=''");
        statement.execute("SET time_zone='+00:00'");
      }
      if (kind.equals("postgresql")) {
        for (String type : POSTGRES_TYPES) statement.execute(type);
      }
      for (String line : Files.readAllLines(Path.of(args[2]))) {
        ObjectNode node = (ObjectNode) JSON.readTree(line);
        String column = node.get("column").asText(), value = node.get("value").asText();
        boolean key = column.contains("PRIMARY KEY");
        statement.execute("DROP TABLE IF EXISTS t");
        statement.execute("CREATE TABLE t (" + (key ? "" : "id INTEGER NOT NULL, ") + "c " + column + ")");
        statement.execute("INSERT INTO t VALUES (" + (key ? "" : "1, ") + value + ")");
        node.set("java", ask(url, kind, node.get("config")));
        out.println(JSON.writeValueAsString(node));
      }
    }
  }

  static ObjectNode ask(String url, String kind, JsonNode config) throws Exception {
    Map<String, String> keys = new HashMap<>(Map.of(
        "name", "oracle", "connection.url", url, "mode", "bulk", "table.whitelist", "t", "tables.fetched", "true",
        "topic.prefix", "", "poll.interval.ms", "100000", "poll.linger.ms", "10"));
    String database = url.replaceAll("[?].*", "").replaceAll(".*/", "");
    keys.put("tables", switch (kind) {
      case "mariadb" -> "`" + database + "`.`t`";
      case "postgresql" -> "\"public\".\"t\"";
      default -> "t";
    });
    config.properties().forEach(entry -> keys.put(entry.getKey(), entry.getValue().asText()));
    ObjectNode result = JSON.createObjectNode();
    SourceTask task = (SourceTask) Class.forName("io.confluent.connect.jdbc.source.JdbcSourceTask").getDeclaredConstructor().newInstance();
    try {
      task.initialize(context());
      task.start(keys);
      List<SourceRecord> records = null;
      long end = System.currentTimeMillis() + 8000;
      while ((records == null || records.isEmpty()) && System.currentTimeMillis() < end) records = task.poll();
      if (records == null || records.isEmpty()) return result.put("error", "no record");
      SourceRecord record = records.get(0);
      JsonConverter converter = new JsonConverter();
      converter.configure(Map.of("schemas.enable", "true", "converter.type", "value"));
      JsonNode all = JSON.readTree(converter.fromConnectData("t", record.valueSchema(), record.value()));
      for (JsonNode field : all.get("schema").get("fields")) {
        if (!field.get("field").asText().equals("c")) continue;
        ObjectNode schema = field.deepCopy();
        schema.remove("field");
        result.set("schema", schema);
        result.set("payload", all.get("payload").get("c"));
        return result;
      }
      return result.put("left_out", true);
    } catch (Throwable error) {
      while (error.getCause() != null && error.getCause() != error) error = error.getCause();
      return result.put("error", error.getClass().getSimpleName() + ": " + String.valueOf(error.getMessage()).split("\n")[0]);
    } finally {
      task.stop();
    }
  }

  static SourceTaskContext context() {
    OffsetStorageReader nowhere = new OffsetStorageReader() {
      public <T> Map<String, Object> offset(Map<String, T> partition) { return null; }
      public <T> Map<Map<String, T>, Map<String, Object>> offsets(Collection<Map<String, T>> partitions) { return new HashMap<>(); }
    };
    return (SourceTaskContext) Proxy.newProxyInstance(Oracle.class.getClassLoader(), new Class[] {SourceTaskContext.class},
        (proxy, method, arguments) -> method.getName().equals("offsetStorageReader") ? nowhere : null);
  }
}
