package kaimen;

import java.util.List;
import java.util.Optional;

/**
 * One page of a list.
 *
 * @param <T> the item
 */
public record Page<T>(List<T> items, Optional<String> nextCursor, RawResponse raw) {}
