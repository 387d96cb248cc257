import gov.kaimen.sdk.edges.*;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What the JSON codec and the generated types promise; prints `ok`, or throws at the first thing that is not so. */
public final class JsonCheck {
    private JsonCheck() {}

    public static void main(String[] arguments) {
        numbers();
        strings();
        refusals();
        writing();
        models();
        System.out.println("ok");
    }

    private static void same(Object wanted, Object found) {
        if (!wanted.equals(found)) {
            throw new AssertionError(found + " is not " + wanted);
        }
    }

    private static void numbers() {
        same(Long.MAX_VALUE, Json.parse("9223372036854775807"));
        same(Long.MIN_VALUE, Json.parse("-9223372036854775808"));
        same(new BigInteger("9223372036854775808"), Json.parse("9223372036854775808"));
        same(0L, Json.parse("-0"));
        same(new BigDecimal("12.30"), Json.parse("12.30"));
        same(new BigDecimal("0.1234567890123456789012345678901234567890"), Json.parse("0.1234567890123456789012345678901234567890"));
        same(1000L, Codec.LONG.read(Json.parse("1e3")));
        same(3L, Codec.LONG.read(Json.parse("3.0")));
        same(1.5, Codec.NUMBER.read(Json.parse("1.5")));
        same(new BigDecimal("12.30"), Codec.DECIMAL.read(Json.parse("\"12.30\"")));
        same("\"12.30\"", Json.write(Codec.DECIMAL.write(new BigDecimal("12.30"))));
        for (String text : List.of("9223372036854775808", "1.5", "1e400", "1e999999999", "\"1\"", "true", "{}")) {
            fails(() -> Codec.LONG.read(Json.parse(text)));
        }
        fails(() -> Codec.INTEGER.read(Json.parse("2147483648")));
        fails(() -> Codec.DECIMAL.read("twelve"));
        fails(() -> Codec.DATE.read("2026-13-01"));
        fails(() -> Codec.BYTES.read(1L));
    }

    private static void strings() {
        same("a\"\\/\b\f\n\r\t中", Json.parse("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u4e2d\""));
        same("\ud83d\udeaa", Json.parse("\"\\ud83d\\udeaa\""));
        same("\ud83d\udeaa", Json.parse("\"\ud83d\udeaa\"".getBytes(StandardCharsets.UTF_8)));
        String lone = "\ud83d x";
        same(lone, Json.parse(Json.write(lone)));
        same("\"\\ud83d x\"", Json.write(lone));
        same("\"\\u0000\\n\\u2028\\\"\\\\\"", Json.write("\0\n\u2028\"\\"));
        same(1L, Json.parse("\ufeff 1 "));
    }

    private static void refusals() {
        String[] bad = {
            "", " ", "{", "[", "[1,]", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "[1 2]", "01", "-", "1.", ".5", "1e", "+1", "0x1",
            "NaN", "Infinity", "nul", "true1", "\"", "\"\n\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u\uff11\uff11\uff11\uff11\"",
            "'a'", "1 2", "[]]", "// a\n1", "\u00a01", "1".repeat(5000), "1e99999999999",
        };
        for (String one : bad) {
            fails(() -> Json.parse(one));
        }
        fails(() -> Json.parse(new byte[] {'"', (byte) 0xff, '"'}));
        fails(() -> Json.parse(new byte[] {'"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"'}));
        fails(() -> Json.parse("[".repeat(100_000)));
        Json.parse("[".repeat(200) + "]".repeat(200));
    }

    private static void writing() {
        same("{\"b\":1,\"a\":[null,true,1.5,\"x\"]}", Json.write(Json.parse(" {\"b\" : 1, \"a\" : [null,true,1.5,\"x\"] } ")));
        List<Object> circle = new ArrayList<>();
        circle.add(circle);
        for (Object one : new Object[] {Double.NaN, Float.POSITIVE_INFINITY, new Object(), circle}) {
            try {
                Json.write(one);
            } catch (IllegalArgumentException expected) {
                continue;
            }
            throw new AssertionError("written");
        }
    }

    private static void models() {
        Edge edge = Edge.CODEC.read(Json.parse("{\"members\":[\"a\"],\"count\":\"x\",\"note\":null,\"more\":{\"deep\":[1]},\"pin\":\"1234\"}"));
        same(List.of("a"), edge.members());
        same(true, edge.has("note") && edge.note().isEmpty() && !edge.has("class"));
        same(Map.of("more", Map.of("deep", List.of(1L))), edge.unknown());
        same(false, edge.toString().contains("1234") || edge.toString().contains("deep"));
        fails(edge::count);
        fails(edge::needed);
        same("{\"needed\":\"n\",\"note\":null,\"count\":3}", Json.write(Edge.builder().needed("n").note(null).count(3L).build()));
        same(edge, Edge.CODEC.read(Json.parse(Json.write(edge))));
        try {
            Edge.builder().build();
            throw new AssertionError("built");
        } catch (IllegalStateException expected) {
            same("needed is missing", expected.getMessage());
        }
        same(2000, Json.write(LargeOf.filled()).split(",").length);
        same(true, Outer.CODEC.read(Json.parse("{\"a\":1}")) instanceof Outer.Variant1);
        same(true, Outer.CODEC.read(Json.parse("{\"z\":1}")) instanceof Outer.Unknown);
        same("{\"z\":1}", Json.write(Outer.CODEC.read(Json.parse("{\"z\":1}"))));
        same(false, Colour.of("mauve").isKnown());
        same(Colour.RED, Colour.of("red"));
    }

    private static final class LargeOf {
        static Large filled() {
            Large.Builder made = Large.builder();
            for (int count = 0; count < 2000; count++) {
                made.set("f" + count, null);
            }
            return made.build();
        }
    }

    private static void fails(Runnable task) {
        try {
            task.run();
        } catch (DecodingException expected) {
            return;
        }
        throw new AssertionError("no DecodingException");
    }
}
