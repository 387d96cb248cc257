package kaimen;

/** The answer took too long. */
public final class RequestTimeoutException extends KaimenException {
    private static final long serialVersionUID = 1L;

    RequestTimeoutException(String message, Throwable cause) {
        super(message, cause);
    }
}
