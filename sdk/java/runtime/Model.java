package kaimen;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An object of a contract. It cannot be changed; members that the contract does not name are kept as they came.
 *
 * <p>It tells apart what is absent ({@link #has} is false) from what is null. A member is converted when it is asked
 * for, so one that does not fit the contract hinders nobody who does not need it.
 */
public abstract class Model implements JsonValue {
    private final Map<String, Object> members;
    private final Set<String> known;
    private final Set<String> sensitive;
    private volatile Map<String, Object> converted;

    Model(Object json, Set<String> known, Set<String> sensitive) {
        this.members = Codec.object(json);
        this.known = known;
        this.sensitive = sensitive;
    }

    static Set<String> names(String... names) {
        return Collections.unmodifiableSet(new HashSet<>(Arrays.asList(names)));
    }

    @Override
    public final Map<String, Object> toJson() {
        return members;
    }

    /** Whether the member came at all, be it null. */
    public final boolean has(String wireName) {
        return members.containsKey(wireName);
    }

    /** Members that the contract does not name. */
    public final Map<String, Object> unknown() {
        Map<String, Object> found = new LinkedHashMap<>(members);
        found.keySet().removeAll(known);
        return Collections.unmodifiableMap(found);
    }

    final <T> T required(String name, Codec<T> codec) {
        T found = value(name, codec);
        if (found == null) {
            throw new DecodingException(getClass().getSimpleName() + " came without " + name, null);
        }
        return found;
    }

    final <T> Optional<T> optional(String name, Codec<T> codec) {
        return Optional.ofNullable(value(name, codec));
    }

    final <T> List<T> list(String name, Codec<T> item) {
        List<T> found = value(name, Codec.list(item));
        return found == null ? List.of() : found;
    }

    final <T> Map<String, T> map(String name, Codec<T> item) {
        Map<String, T> found = value(name, Codec.map(item));
        return found == null ? Map.of() : found;
    }

    @SuppressWarnings("unchecked") // one codec serves one name
    private <T> T value(String name, Codec<T> codec) {
        Object json = members.get(name);
        try {
            if (!(json instanceof Map<?, ?> || json instanceof List<?>)) {
                return codec.read(json);
            }
            Map<String, Object> kept = converted;
            if (kept == null) {
                kept = new ConcurrentHashMap<>();
                converted = kept;
            }
            Object found = kept.get(name);
            if (found == null) {
                found = codec.read(json);
                kept.put(name, found);
            }
            return (T) found;
        } catch (DecodingException error) {
            throw new DecodingException(getClass().getSimpleName() + "." + name + ": " + error.getMessage(), error);
        }
    }

    @Override
    public final boolean equals(Object other) {
        return other != null && getClass() == other.getClass() && members.equals(((Model) other).members);
    }

    @Override
    public final int hashCode() {
        return members.hashCode();
    }

    /** The plain members; sensitive ones, and what the contract does not name, are hidden. */
    @Override
    public final String toString() {
        StringBuilder out = new StringBuilder(getClass().getSimpleName()).append('{');
        String joint = "";
        for (Map.Entry<String, Object> one : members.entrySet()) {
            out.append(joint).append(one.getKey()).append('=').append(shown(one.getKey(), one.getValue()));
            joint = ", ";
        }
        return out.append('}').toString();
    }

    private String shown(String name, Object value) {
        if (value instanceof Map<?, ?>) {
            return "{…}";
        }
        if (value instanceof List<?>) {
            return "[" + ((List<?>) value).size() + "]";
        }
        return sensitive.contains(name) || !known.contains(name) ? "***" : String.valueOf(value);
    }

    /** What every builder has: members by their names in JSON. */
    static final class Members {
        private final Map<String, Object> values = new LinkedHashMap<>();

        /** Null leaves the member out. */
        <T> void put(String name, T value, Codec<T> codec) {
            if (value == null) {
                values.remove(name);
            } else {
                values.put(name, codec.write(value));
            }
        }

        /** Null is sent as null. */
        <T> void putNullable(String name, T value, Codec<T> codec) {
            values.put(name, codec.write(value));
        }

        void putAll(Map<String, Object> given) {
            values.putAll(given);
        }

        Object made(String... needed) {
            for (String name : needed) {
                if (!values.containsKey(name)) {
                    throw new IllegalStateException(name + " is missing");
                }
            }
            return Json.plain(values);
        }
    }
}
