package kaimen;

import java.net.http.HttpHeaders;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A refusal, with the step and the rule that refused and what to do next (RFC 9457). */
public class ApiException extends KaimenException {
    private static final long serialVersionUID = 1L;

    private final transient ApiProblem problem;

    ApiException(ApiProblem problem) {
        super(messageOf(problem), null);
        this.problem = problem;
    }

    private static String messageOf(ApiProblem problem) {
        String said = problem.text("detail", "error_description", "title", "error");
        String made = problem.status + " " + said + " " + problem.text("next");
        String id = problem.requestId();
        return (id.isEmpty() ? made : made.strip() + " (" + id + ")").strip();
    }

    /** One fault of a request: where it is, as a JSON pointer, and what it is. */
    public record Fault(String pointer, String message) {}

    /** HTTP status. */
    public final int status() {
        return problem.status;
    }

    /** Address of the kind of problem, with its documentation; "" where none was told. */
    public final String type() {
        return problem.text("type");
    }

    /** What happened, in short. */
    public final String title() {
        return problem.text("title", "error");
    }

    /** What happened this time. */
    public final String detail() {
        return problem.text("detail", "error_description");
    }

    /** The step of the gateway that refused. */
    public final String step() {
        return problem.text("step");
    }

    /** The rule that refused. */
    public final String rule() {
        return problem.text("rule", "error");
    }

    /** What to do next. */
    public final String next() {
        return problem.text("next");
    }

    /** The id under which the platform keeps the request's log. */
    public final String requestId() {
        return problem.requestId();
    }

    /** How long to wait, where the server said so. */
    public final Optional<Duration> retryAfter() {
        return problem.retryAfter();
    }

    /** The faults of an invalid request. */
    public final List<Fault> errors() {
        return problem.errors();
    }

    /** The whole body, where it is a JSON object. */
    public final Map<String, Object> problem() {
        return problem.body;
    }

    /** The response's headers. */
    public final HttpHeaders headers() {
        return problem.headers;
    }
}
