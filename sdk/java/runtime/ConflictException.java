package kaimen;

/** The present state forbids it (409). */
public final class ConflictException extends ApiException {
    private static final long serialVersionUID = 1L;

    ConflictException(ApiProblem problem) {
        super(problem);
    }
}
