package kaimen;

import java.time.OffsetDateTime;
import java.util.Map;
import java.util.Optional;

/** A CloudEvent as it was delivered. */
public final class WebhookEvent {
    private final Map<String, Object> members;

    WebhookEvent(Map<String, Object> members) {
        this.members = members;
    }

    private String text(String name) {
        return members.get(name) instanceof String ? (String) members.get(name) : "";
    }

    /** Unique for its source; a delivery that is repeated has the same. */
    public String id() {
        return text("id");
    }

    /** Its type, as the contract names it. */
    public String type() {
        return text("type");
    }

    /** Where it comes from. */
    public String source() {
        return text("source");
    }

    /** What it is about. */
    public String subject() {
        return text("subject");
    }

    /** When it happened. */
    public Optional<OffsetDateTime> time() {
        return Optional.ofNullable(Codec.DATE_TIME.read(members.get("time")));
    }

    /** Whether it is of this type. */
    public boolean is(EventType<?> type) {
        return type().equals(type.name());
    }

    /**
     * Its data.
     *
     * @throws DecodingException where the event is of another type
     */
    public <T> T data(EventType<T> type) {
        if (!is(type)) {
            throw new DecodingException("the event is no " + type.name(), null);
        }
        return type.codec().read(members.get("data"));
    }

    /** All of it. */
    public Map<String, Object> toJson() {
        return members;
    }

    @Override
    public String toString() {
        return "WebhookEvent{id=" + id() + ", type=" + type() + "}";
    }
}
