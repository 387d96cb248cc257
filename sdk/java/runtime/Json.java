package kaimen;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON text and plain values (RFC 8259), strictly.
 *
 * <p>An object is a {@code Map<String, Object>} in the order of the text, an array a {@code List<Object>}, a string a
 * {@code String}, a whole number a {@code Long} or, where it does not fit, a {@code BigInteger}, any other number a
 * {@code BigDecimal} with all its digits, and null is null. Maps and lists that were read cannot be changed.
 */
public final class Json {
    private static final int MOST_DEPTH = 256;
    private static final int MOST_DIGITS = 4096;
    private static final String HEX = "0123456789abcdef";

    private final String text;
    private int place;

    private Json(String text) {
        this.text = text;
    }

    /**
     * Reads UTF-8.
     *
     * @throws DecodingException where it is not UTF-8 or not JSON
     */
    public static Object parse(byte[] data) {
        try {
            return parse(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(data)).toString());
        } catch (CharacterCodingException error) {
            throw new DecodingException("the JSON is not UTF-8", error);
        }
    }

    /**
     * Reads one value and nothing after it.
     *
     * @throws DecodingException where it is not JSON, or deeper than 256
     */
    public static Object parse(String text) {
        Json reader = new Json(text);
        if (!text.isEmpty() && text.charAt(0) == '\uFEFF') {
            reader.place = 1;
        }
        reader.blanks();
        Object found = reader.value(0);
        reader.blanks();
        if (reader.place < text.length()) {
            throw reader.fault("something follows the value");
        }
        return found;
    }

    /**
     * The compact text of a value.
     *
     * @throws IllegalArgumentException for a value that JSON has not, such as NaN
     */
    public static String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(out, plain(value, 0));
        return out.toString();
    }

    /** A copy made of maps, lists, strings, numbers, booleans and null, that cannot be changed. */
    static Object plain(Object value) {
        return plain(value, 0);
    }

    private DecodingException fault(String what) {
        return new DecodingException("not JSON at character " + place + ": " + what, null);
    }

    private void blanks() {
        while (place < text.length() && " \t\r\n".indexOf(text.charAt(place)) >= 0) {
            place++;
        }
    }

    private char peek() {
        if (place >= text.length()) {
            throw fault("the text ends too early");
        }
        return text.charAt(place);
    }

    private Object value(int depth) {
        if (depth > MOST_DEPTH) {
            throw fault("deeper than " + MOST_DEPTH);
        }
        char first = peek();
        switch (first) {
            case '{':
                return object(depth);
            case '[':
                return array(depth);
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, place)) {
            throw fault("an unknown word");
        }
        place += word.length();
        return value;
    }

    private Map<String, Object> object(int depth) {
        Map<String, Object> found = new LinkedHashMap<>();
        place++;
        blanks();
        if (peek() == '}') {
            place++;
            return Collections.unmodifiableMap(found);
        }
        while (true) {
            blanks();
            if (peek() != '"') {
                throw fault("a name is wanted");
            }
            String name = string();
            blanks();
            if (peek() != ':') {
                throw fault("a colon is wanted");
            }
            place++;
            blanks();
            found.put(name, value(depth + 1));
            blanks();
            char next = peek();
            place++;
            if (next == '}') {
                return Collections.unmodifiableMap(found);
            }
            if (next != ',') {
                place--;
                throw fault("a comma or a brace is wanted");
            }
        }
    }

    private List<Object> array(int depth) {
        List<Object> found = new ArrayList<>();
        place++;
        blanks();
        if (peek() == ']') {
            place++;
            return Collections.unmodifiableList(found);
        }
        while (true) {
            blanks();
            found.add(value(depth + 1));
            blanks();
            char next = peek();
            place++;
            if (next == ']') {
                return Collections.unmodifiableList(found);
            }
            if (next != ',') {
                place--;
                throw fault("a comma or a bracket is wanted");
            }
        }
    }

    private String string() {
        int start = ++place;
        while (place < text.length()) {
            char one = text.charAt(place);
            if (one == '"') {
                return text.substring(start, place++);
            }
            if (one == '\\' || one < ' ') {
                break;
            }
            place++;
        }
        StringBuilder made = new StringBuilder(text.substring(start, place));
        while (true) {
            char one = peek();
            place++;
            if (one == '"') {
                return made.toString();
            }
            if (one < ' ') {
                place--;
                throw fault("a control character in a string");
            }
            made.append(one == '\\' ? escaped() : one);
        }
    }

    private char escaped() {
        char one = peek();
        place++;
        switch (one) {
            case '"':
            case '\\':
            case '/':
                return one;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                int code = 0;
                for (int count = 0; count < 4; count++) {
                    char digit = peek();
                    int figure = digit < 128 ? Character.digit(digit, 16) : -1;
                    if (figure < 0) {
                        throw fault("four hexadecimal digits are wanted");
                    }
                    code = code * 16 + figure;
                    place++;
                }
                return (char) code;
            default:
                place--;
                throw fault("an unknown escape");
        }
    }

    private int digits() {
        int start = place;
        while (place < text.length() && text.charAt(place) >= '0' && text.charAt(place) <= '9') {
            place++;
        }
        if (place == start) {
            throw fault(place < text.length() ? "no JSON value begins so" : "the text ends too early");
        }
        return place - start;
    }

    private boolean skip(String signs) {
        if (place < text.length() && signs.indexOf(text.charAt(place)) >= 0) {
            place++;
            return true;
        }
        return false;
    }

    private Object number() {
        int start = place;
        skip("-");
        boolean isZero = peek() == '0';
        if (digits() > 1 && isZero) {
            throw fault("a number with a zero before it");
        }
        boolean isWhole = true;
        if (skip(".")) {
            isWhole = false;
            digits();
        }
        if (skip("eE")) {
            isWhole = false;
            skip("+-");
            digits();
        }
        String found = text.substring(start, place);
        if (found.length() > MOST_DIGITS) {
            throw fault("a number of more than " + MOST_DIGITS + " characters");
        }
        try {
            if (!isWhole) {
                return new BigDecimal(found);
            }
            return found.length() < 19 ? (Object) Long.valueOf(found) : small(new BigInteger(found));
        } catch (NumberFormatException error) {
            throw fault("a number that is too large");
        }
    }

    private static Number small(BigInteger number) {
        return number.bitLength() < Long.SIZE ? (Number) number.longValue() : number;
    }

    private static Object plain(Object value, int depth) {
        if (depth > MOST_DEPTH) {
            throw new IllegalArgumentException("the value is deeper than " + MOST_DEPTH + ", or holds itself");
        }
        if (value instanceof JsonValue) {
            return plain(((JsonValue) value).toJson(), depth + 1);
        }
        if (value instanceof Map<?, ?>) {
            Map<String, Object> made = new LinkedHashMap<>();
            ((Map<?, ?>) value).forEach((name, one) -> made.put(String.valueOf(name), plain(one, depth + 1)));
            return Collections.unmodifiableMap(made);
        }
        if (value instanceof Collection<?>) {
            List<Object> made = new ArrayList<>();
            ((Collection<?>) value).forEach(one -> made.add(plain(one, depth + 1)));
            return Collections.unmodifiableList(made);
        }
        if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
            return ((Number) value).longValue();
        }
        if (value instanceof Double || value instanceof Float) {
            double number = ((Number) value).doubleValue();
            if (Double.isNaN(number) || Double.isInfinite(number)) {
                throw new IllegalArgumentException("JSON has no NaN and no infinity");
            }
            return new BigDecimal(value.toString());
        }
        if (value == null
                || value instanceof String
                || value instanceof Boolean
                || value instanceof Long
                || value instanceof BigInteger
                || value instanceof BigDecimal) {
            return value;
        }
        throw new IllegalArgumentException("JSON has no " + value.getClass().getName());
    }

    private static void write(StringBuilder out, Object value) {
        if (value instanceof String) {
            quoted(out, (String) value);
        } else if (value instanceof Map<?, ?>) {
            char joint = '{';
            for (Map.Entry<?, ?> one : ((Map<?, ?>) value).entrySet()) {
                out.append(joint);
                quoted(out, (String) one.getKey());
                write(out.append(':'), one.getValue());
                joint = ',';
            }
            out.append(joint == '{' ? "{}" : "}");
        } else if (value instanceof List<?>) {
            char joint = '[';
            for (Object one : (List<?>) value) {
                write(out.append(joint), one);
                joint = ',';
            }
            out.append(joint == '[' ? "[]" : "]");
        } else {
            out.append(value);
        }
    }

    private static void quoted(StringBuilder out, String text) {
        out.append('"');
        for (int at = 0; at < text.length(); at++) {
            char one = text.charAt(at);
            boolean isPair =
                    Character.isHighSurrogate(one)
                            && at + 1 < text.length()
                            && Character.isLowSurrogate(text.charAt(at + 1));
            if (isPair) {
                out.append(one).append(text.charAt(++at));
            } else if (one == '"' || one == '\\') {
                out.append('\\').append(one);
            } else if (one == '\n') {
                out.append("\\n");
            } else if (one < ' ' || one == 0x7f || one == 0x2028 || one == 0x2029 || Character.isSurrogate(one)) {
                out.append('\\').append('u');
                for (int shift = 12; shift >= 0; shift -= 4) {
                    out.append(HEX.charAt(one >> shift & 15));
                }
            } else {
                out.append(one);
            }
        }
        out.append('"');
    }
}
