package kaimen;

/** No answer was to be had. */
public final class ConnectionException extends KaimenException {
    private static final long serialVersionUID = 1L;

    ConnectionException(String message, Throwable cause) {
        super(message, cause);
    }
}
