package kaimen;

import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.Map;

/** The app's own sandbox: needs the platform scope platform:sandbox:write. */
public final class Sandbox {
    private static final String SCOPE = "platform:sandbox:write";

    private final Transport transport;
    private final Clock clock = new Clock();

    Sandbox(Transport transport) {
        this.transport = transport;
    }

    /** Forgets what the app has changed; tells how many records those were. */
    public long reset() {
        Object found = call("POST", "/platform/v1/sandbox/reset", Map.of());
        Object records = found instanceof Map<?, ?> ? ((Map<?, ?>) found).get("records") : null;
        return records instanceof Number ? ((Number) records).longValue() : 0;
    }

    /** The app's clock. */
    public Clock clock() {
        return clock;
    }

    /** For {@link CallOptions}: plays a scenario. */
    public CallOptions scenario(String id) {
        return new CallOptions().scenario(id);
    }

    private Object call(String method, String path, Object body) {
        return transport.value(new Call(method, path).scope(SCOPE).json("application/json", body), null, Codec.ANY);
    }

    /** The clock by which the sandbox answers the app. */
    public final class Clock {
        private static final String PATH = "/platform/v1/sandbox/clock";

        private Clock() {}

        /** Sets it. */
        public void set(OffsetDateTime now) {
            call("POST", PATH, Map.of("now", Codec.DATE_TIME.write(now)));
        }

        /** Moves it. */
        public void advance(Duration duration) {
            advance(duration.toString());
        }

        /** Moves it by an ISO 8601 duration: P30D, P1M. */
        public void advance(String duration) {
            call("POST", PATH, Map.of("advance", duration));
        }

        /** Back to the real time. */
        public void clear() {
            call("DELETE", PATH, null);
        }
    }

    @Override
    public String toString() {
        return "Sandbox of " + transport;
    }
}
