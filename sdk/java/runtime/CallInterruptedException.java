package kaimen;

/** The thread was interrupted; its interrupted mark is set again. */
public final class CallInterruptedException extends KaimenException {
    private static final long serialVersionUID = 1L;

    CallInterruptedException(String message, Throwable cause) {
        super(message, cause);
    }
}
