package kaimen;

/** A quota is used up (429). */
public final class RateLimitedException extends ApiException {
    private static final long serialVersionUID = 1L;

    RateLimitedException(ApiProblem problem) {
        super(problem);
    }
}
