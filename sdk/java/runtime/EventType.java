package kaimen;

/**
 * A type of events, with the type of their data.
 *
 * @param <T> the data
 */
public record EventType<T>(String name, Codec<T> codec) {}
