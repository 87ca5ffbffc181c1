// Prints what Java's JsonConverter writes; the expectations of ../json_write.rs were read off it.
//   java -cp '<Kafka 4.3.0>/libs/*' Write.java
import java.math.*;
import java.util.*;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.json.JsonConverter;

public class Write {
    static void write(Map<String, String> config, Schema schema, Object value) throws Exception {
        JsonConverter converter = new JsonConverter();
        converter.configure(config, false);
        String text;
        try {
            byte[] bytes = converter.fromConnectData("t", schema, value);
            text = bytes == null ? "(null)" : new String(bytes, "UTF-8");
        } catch (Exception e) {
            text = "!" + e;
        }
        System.out.write((text + "\n").getBytes("UTF-8"));
        System.out.flush();
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> plain = Map.of("schemas.enable", "false");
        Map<String, String> envelope = Map.of();
        Map<String, String> numeric = Map.of("schemas.enable", "false", "decimal.format", "numeric");
        write(envelope, Schema.STRING_SCHEMA, "ITEM001,SHOP001,929,2018-10-01 01:01:01");
        write(plain, Schema.STRING_SCHEMA, "hello-1");
        write(plain, Schema.STRING_SCHEMA, "tab\t quote\" back\\ slash/ nul\0 esc\33 del\177 \u00e9 \ud55c \u2028 \ud83d\ude00");
        write(envelope, null, null);
        write(envelope, Schema.OPTIONAL_STRING_SCHEMA, null);
        write(plain, Schema.OPTIONAL_STRING_SCHEMA, null);
        Schema seven = SchemaBuilder.int32().optional().defaultValue(7).build();
        write(plain, seven, null);
        write(Map.of("schemas.enable", "false", "replace.null.with.default", "false"), seven, null);
        write(plain, Schema.INT32_SCHEMA, null);
        write(plain, Schema.INT64_SCHEMA, Long.MIN_VALUE);
        write(plain, Schema.FLOAT64_SCHEMA, 1e10);
        write(plain, Schema.FLOAT64_SCHEMA, 0.1);
        write(plain, Schema.FLOAT32_SCHEMA, 1.5f);
        write(plain, Schema.FLOAT64_SCHEMA, Double.NaN);
        write(plain, Schema.FLOAT64_SCHEMA, Double.NEGATIVE_INFINITY);
        write(plain, Schema.BYTES_SCHEMA, new byte[] {-1, 0, 'a'});
        write(envelope, Decimal.schema(2), new BigDecimal("-123.45"));
        write(numeric, Decimal.schema(2), new BigDecimal("-123.45"));
        write(numeric, Decimal.schema(-3), new BigDecimal(BigInteger.ONE, -3));
        write(envelope, org.apache.kafka.connect.data.Date.builder().optional().build(), new java.util.Date(19847L * 86400000));
        write(plain, Time.SCHEMA, new java.util.Date(86399999));
        write(plain, Timestamp.SCHEMA, new java.util.Date(-1));
        Schema users = SchemaBuilder.struct().name("users").field("id", Schema.INT32_SCHEMA)
            .field("name", Schema.OPTIONAL_STRING_SCHEMA).field("created_at", Timestamp.builder().optional().build())
            .field("n", SchemaBuilder.int8().defaultValue((byte) 5).build()).build();
        Struct ann = new Struct(users).put("id", 1).put("name", "a").put("n", (byte) 2);
        write(envelope, users, ann);
        write(plain, users, ann);
        write(envelope, SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT32_SCHEMA).build(), Map.of("a", 1));
        write(plain, SchemaBuilder.map(Schema.INT32_SCHEMA, Schema.BOOLEAN_SCHEMA).build(), Map.of(1, true));
        write(envelope, SchemaBuilder.array(Schema.OPTIONAL_FLOAT64_SCHEMA).build(), Arrays.asList(0.5, null));
        write(envelope, null, "x");
        write(plain, null, Map.of("a", Arrays.asList(null, 1L)));
        write(plain, null, Map.of(1L, "a"));
        write(plain, null, new java.util.Date(1));
        write(plain, Decimal.schema(3), new BigDecimal("-123.45"));
        write(plain, Schema.INT32_SCHEMA, 1L);
        write(plain, null, new HashMap<>());
        write(plain, SchemaBuilder.struct().name("doc").doc("d\"oc").version(3).parameter("b", "1").parameter("a", "2").field("x", Schema.INT8_SCHEMA).build(), null);
        write(envelope, SchemaBuilder.string().optional().name("n").doc("d\"oc").version(3).parameter("b", "1").parameter("a", "2").defaultValue("x").build(), "y");
    }
}
