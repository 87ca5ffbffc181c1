import java.io.ByteArrayInputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Properties;
import java.util.Random;
import java.util.TreeMap;

/** Prints what {@code java.util.Properties.load(InputStream)} makes of generated texts, one case per line:
 * the text, then each key and value in the order of the keys, all in base64 and separated by tabs; a lone "!" where
 * load refuses the text. {@code java PropertiesOracle.java > properties.tsv} */
class PropertiesOracle {
    private static final String[] PIECES = {
        "a", "b", "key", "value", "plugin", "=", ":", " ", "  ", "\t", "\f", "\n", "\r", "\r\n", "\n\n", "\\", "\\\\", "\\\n",
        "\\\r\n", "\\ ", "\\=", "\\:", "\\t", "\\n", "\\f", "\\r", "\\x", "\\\"", "#", "!", "\\#", "\\!", "\\u0041", "\\uC8FC",
        "\\uD83D\\uDE00", "\\u00e9", "\\u12", "\\uzzzz", "1", ",", "/", "\"", "'", "\u00e9", "\u00a0", "\0", "\u0085",
        "${file:/x:y}", "\\\\u0041", "\\\n  ", "\\\n#", "=\\", " = ", " : "
    };

    public static void main(String[] arguments) {
        Random random = new Random(20251121);
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.US_ASCII);
        for (int n = 0; n < 600; n++) {
            StringBuilder text = new StringBuilder();
            int pieces = 1 + random.nextInt(24);
            for (int i = 0; i < pieces; i++) {
                text.append(PIECES[random.nextInt(PIECES.length)]);
            }
            out.println(line(text.toString().getBytes(StandardCharsets.ISO_8859_1)));
        }
        out.flush();
    }

    private static String line(byte[] text) {
        StringBuilder line = new StringBuilder(encoded(text));
        Properties properties = new Properties();
        try {
            properties.load(new ByteArrayInputStream(text));
        } catch (Exception refused) {
            return line.append("\t!").toString();
        }
        TreeMap<String, String> sorted = new TreeMap<>();
        properties.forEach((key, value) -> sorted.put((String) key, (String) value));
        sorted.forEach((key, value) -> line.append('\t').append(encoded(key.getBytes(StandardCharsets.UTF_8)))
            .append('\t').append(encoded(value.getBytes(StandardCharsets.UTF_8))));
        return line.toString();
    }

    private static String encoded(byte[] bytes) {
        // An empty text still needs a place of its own between the tabs.
        return bytes.length == 0 ? "-" : Base64.getEncoder().encodeToString(bytes);
    }
}
