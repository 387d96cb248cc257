package kaimen;

/**
 * A value of an open enumeration: one that the contract does not list is kept as it came.
 *
 * @param <B> String or Long
 */
public abstract class OpenEnum<B> implements JsonValue {
    private final B value;

    OpenEnum(B value) {
        this.value = java.util.Objects.requireNonNull(value, "value");
    }

    /** The value on the wire; for {@code switch}. */
    public final B value() {
        return value;
    }

    /** Whether the contract lists it. */
    public abstract boolean isKnown();

    @Override
    public final Object toJson() {
        return value;
    }

    @Override
    public final boolean equals(Object other) {
        return other != null && getClass() == other.getClass() && value.equals(((OpenEnum<?>) other).value);
    }

    @Override
    public final int hashCode() {
        return value.hashCode();
    }

    @Override
    public final String toString() {
        return value.toString();
    }
}
