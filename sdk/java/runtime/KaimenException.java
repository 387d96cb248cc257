package kaimen;

/** Whatever goes wrong with a call. */
public class KaimenException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    KaimenException(String message, Throwable cause) {
        super(message, cause);
    }
}
