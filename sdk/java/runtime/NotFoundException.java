package kaimen;

/** There is no such thing (404, 410). */
public final class NotFoundException extends ApiException {
    private static final long serialVersionUID = 1L;

    NotFoundException(ApiProblem problem) {
        super(problem);
    }
}
