package kaimen;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * A list that is fetched page by page, while it is read: {@code for (Company one : client.company().search()) …}
 *
 * @param <T> the item
 */
public final class Pages<T> implements Iterable<T> {
    private final Function<String, Page<T>> fetch;

    Pages(Function<String, Page<T>> fetch) {
        this.fetch = fetch;
    }

    /** The first page alone. */
    public Page<T> first() {
        return fetch.apply(null);
    }

    /** The page at a cursor that an earlier one gave. */
    public Page<T> at(String cursor) {
        return fetch.apply(cursor);
    }

    /** Every item of every page. */
    @Override
    public Iterator<T> iterator() {
        Iterator<Page<T>> pages = byPage().iterator();
        return new Iterator<>() {
            private Iterator<T> items = java.util.Collections.emptyIterator();

            @Override
            public boolean hasNext() {
                while (!items.hasNext() && pages.hasNext()) {
                    items = pages.next().items().iterator();
                }
                return items.hasNext();
            }

            @Override
            public T next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                return items.next();
            }
        };
    }

    /** Every page. */
    public Iterable<Page<T>> byPage() {
        return () ->
                new Iterator<>() {
                    private Optional<String> cursor = Optional.empty();
                    private boolean hasBegun;

                    @Override
                    public boolean hasNext() {
                        return !hasBegun || cursor.isPresent();
                    }

                    @Override
                    public Page<T> next() {
                        if (!hasNext()) {
                            throw new NoSuchElementException();
                        }
                        Page<T> page = fetch.apply(cursor.orElse(null));
                        // a server that gives the same cursor again would never end
                        boolean isSame = hasBegun && page.nextCursor().equals(cursor);
                        cursor = isSame ? Optional.empty() : page.nextCursor();
                        hasBegun = true;
                        return page;
                    }
                };
    }

    /** Every item of every page, in order. */
    public Stream<T> stream() {
        return StreamSupport.stream(spliterator(), false);
    }
}
