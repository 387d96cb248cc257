package kaimen;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/** What is different for one call. Each method gives the same object, so they can be chained. */
public final class CallOptions {
    String idempotencyKey;
    String scenario;
    Duration timeout;
    Integer maxRetries;
    Consumer<RawResponse> onResponse = raw -> {};
    final Map<String, String> headers = new LinkedHashMap<>();

    /** The options of the client. */
    public CallOptions() {}

    /** Uses this key in place of a fresh one. */
    public CallOptions idempotencyKey(String key) {
        idempotencyKey = key;
        return this;
    }

    /** Plays a scenario of the sandbox; see {@code Scenarios}. */
    public CallOptions scenario(String id) {
        scenario = id;
        return this;
    }

    /** Bounds each attempt. */
    public CallOptions timeout(Duration timeout) {
        this.timeout = timeout;
        return this;
    }

    /** Bounds the repetitions. */
    public CallOptions maxRetries(int maxRetries) {
        this.maxRetries = maxRetries;
        return this;
    }

    /** Sends a header of your own. */
    public CallOptions header(String name, String value) {
        headers.put(name, value);
        return this;
    }

    /** Is told the response that the value came in; for a list, that of each page. */
    public CallOptions onResponse(Consumer<RawResponse> listener) {
        onResponse = Objects.requireNonNull(listener, "listener");
        return this;
    }
}
