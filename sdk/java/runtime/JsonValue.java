package kaimen;

/** Something that has a form in JSON. */
public interface JsonValue {
    /** Maps, lists, strings, numbers, booleans or null, as {@link Json} reads and writes them. */
    Object toJson();
}
