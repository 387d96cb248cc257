package kaimen;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Reads values of a type from JSON and writes them. Null is null, both ways.
 *
 * @param <T> the type
 */
public final class Codec<T> {
    /** Text. */
    public static final Codec<String> STRING = of(json -> need(json, String.class, "text"), value -> value);

    /** True and false. */
    public static final Codec<Boolean> BOOLEAN =
            of(json -> need(json, Boolean.class, "true or false"), value -> value);

    /** Whole numbers of 64 bits. */
    public static final Codec<Long> LONG = of(json -> whole(json).longValueExact(), value -> value);

    /** Whole numbers of 32 bits. */
    public static final Codec<Integer> INTEGER = of(json -> whole(json).intValueExact(), Integer::longValue);

    /** Numbers. */
    public static final Codec<Double> NUMBER = of(json -> need(json, Number.class, "a number").doubleValue(), Json::plain);

    /** Numbers that keep their digits: text in JSON; a number is read, too. */
    public static final Codec<BigDecimal> DECIMAL =
            of(
                    json -> json instanceof Number ? decimal((Number) json) : new BigDecimal(digits(json)),
                    BigDecimal::toPlainString);

    /** Days, YYYY-MM-DD. */
    public static final Codec<LocalDate> DATE =
            of(json -> LocalDate.parse(need(json, String.class, "a date")), LocalDate::toString);

    /** Moments (RFC 3339). */
    public static final Codec<OffsetDateTime> DATE_TIME =
            of(
                    json -> OffsetDateTime.parse(need(json, String.class, "a time").replace(' ', 'T')),
                    value -> DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(value));

    /** Bytes: base64 in JSON. */
    public static final Codec<byte[]> BYTES =
            of(
                    json -> Base64.getMimeDecoder().decode(need(json, String.class, "base64")),
                    value -> Base64.getEncoder().encodeToString(value));

    /** Any JSON. */
    public static final Codec<Object> ANY = of(json -> json, Json::plain);

    private final Function<Object, T> reader;
    private final Function<T, Object> writer;

    private Codec(Function<Object, T> reader, Function<T, Object> writer) {
        this.reader = reader;
        this.writer = writer;
    }

    static <T> Codec<T> of(Function<Object, T> reader, Function<T, Object> writer) {
        return new Codec<>(reader, writer);
    }

    static <T extends JsonValue> Codec<T> model(Function<Object, T> reader) {
        return new Codec<>(reader, JsonValue::toJson);
    }

    /** Lists of it. */
    public static <T> Codec<List<T>> list(Codec<T> item) {
        return of(
                json -> {
                    List<T> found = new ArrayList<>();
                    for (Object one : array(json)) {
                        found.add(item.read(one));
                    }
                    return Collections.unmodifiableList(found);
                },
                value -> {
                    List<Object> made = new ArrayList<>();
                    value.forEach(one -> made.add(item.write(one)));
                    return made;
                });
    }

    /** Maps from text to it. */
    public static <T> Codec<Map<String, T>> map(Codec<T> item) {
        return of(
                json -> {
                    Map<String, T> found = new LinkedHashMap<>();
                    object(json).forEach((name, one) -> found.put(name, item.read(one)));
                    return Collections.unmodifiableMap(found);
                },
                value -> {
                    Map<String, Object> made = new LinkedHashMap<>();
                    value.forEach((name, one) -> made.put(name, item.write(one)));
                    return made;
                });
    }

    /**
     * The value that the JSON holds.
     *
     * @throws DecodingException where it is of another type
     */
    public T read(Object json) {
        try {
            return json == null ? null : reader.apply(json);
        } catch (ArithmeticException | IllegalArgumentException | DateTimeException error) {
            // neither the message nor the cause: they hold the value
            throw new DecodingException("the value does not have the form of its type", null);
        }
    }

    /** The JSON of the value. */
    public Object write(T value) {
        return value == null ? null : writer.apply(value);
    }

    static List<?> array(Object json) {
        return need(json, List.class, "a list");
    }

    @SuppressWarnings("unchecked") // every map that Json makes has names for keys
    static Map<String, Object> object(Object json) {
        return (Map<String, Object>) need(json, Map.class, "an object");
    }

    static boolean isTag(Object json, String property, String tag) {
        return json instanceof Map<?, ?> && tag.equals(((Map<?, ?>) json).get(property));
    }

    static boolean hasMembers(Object json, String... names) {
        return json instanceof Map<?, ?> && ((Map<?, ?>) json).keySet().containsAll(List.of(names));
    }

    private static <T> T need(Object json, Class<T> type, String what) {
        if (!type.isInstance(json)) {
            throw new DecodingException(what + " is wanted", null);
        }
        return type.cast(json);
    }

    private static String digits(Object json) {
        String text = need(json, String.class, "a decimal number");
        if (text.length() > 4096) {
            throw new DecodingException("a decimal number of more than 4096 characters", null);
        }
        return text;
    }

    private static BigDecimal decimal(Number number) {
        return number instanceof BigDecimal ? (BigDecimal) number : new BigDecimal(number.toString());
    }

    private static BigInteger whole(Object json) {
        Number number = need(json, Number.class, "a whole number");
        if (number instanceof BigDecimal) {
            BigDecimal found = (BigDecimal) number;
            if (found.precision() - (long) found.scale() > 40) {
                throw new DecodingException("a whole number of 64 bits is wanted", null);
            }
            return found.toBigIntegerExact();
        }
        return number instanceof BigInteger ? (BigInteger) number : BigInteger.valueOf(number.longValue());
    }
}
