package kaimen;

/** A delivery that is not to be trusted. */
public final class WebhookException extends KaimenException {
    private static final long serialVersionUID = 1L;

    WebhookException(String message, Throwable cause) {
        super(message, cause);
    }
}
