package kaimen;

/** The credential or token was refused (401, or 400 at the token endpoint). */
public final class AuthenticationException extends ApiException {
    private static final long serialVersionUID = 1L;

    AuthenticationException(ApiProblem problem) {
        super(problem);
    }
}
