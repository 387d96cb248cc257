package kaimen;

/** What came does not fit the contract. */
public final class DecodingException extends KaimenException {
    private static final long serialVersionUID = 1L;

    DecodingException(String message, Throwable cause) {
        super(message, cause);
    }
}
