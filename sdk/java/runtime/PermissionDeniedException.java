package kaimen;

/** A right is missing (403). */
public final class PermissionDeniedException extends ApiException {
    private static final long serialVersionUID = 1L;

    PermissionDeniedException(ApiProblem problem) {
        super(problem);
    }
}
