package kaimen;

/** The request is wrong (400, 422). */
public final class InvalidRequestException extends ApiException {
    private static final long serialVersionUID = 1L;

    InvalidRequestException(ApiProblem problem) {
        super(problem);
    }
}
