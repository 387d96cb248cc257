package kaimen;

/** The platform or the department failed (5xx). */
public final class ServerException extends ApiException {
    private static final long serialVersionUID = 1L;

    ServerException(ApiProblem problem) {
        super(problem);
    }
}
