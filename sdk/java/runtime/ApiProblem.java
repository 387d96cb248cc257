package kaimen;

import java.net.http.HttpHeaders;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a refusal said (RFC 9457). */
final class ApiProblem {
    final int status;
    final HttpHeaders headers;
    final Map<String, Object> body;

    private ApiProblem(int status, HttpHeaders headers, Map<String, Object> body) {
        this.status = status;
        this.headers = headers;
        this.body = body;
    }

    /** Of any error body, HTML and nothing too. */
    static ApiProblem of(int status, HttpHeaders headers, byte[] data) {
        return new ApiProblem(status, headers, bodyOf(data));
    }

    static Map<String, Object> bodyOf(byte[] data) {
        try {
            Object found = Json.parse(data);
            return found instanceof Map<?, ?> ? Codec.object(found) : Map.of();
        } catch (DecodingException error) {
            return Map.of();
        }
    }

    ApiException exception(boolean isToken) {
        if (status == 401 || isToken && status == 400) {
            return new AuthenticationException(this);
        }
        switch (status) {
            case 403:
                return new PermissionDeniedException(this);
            case 404:
            case 410:
                return new NotFoundException(this);
            case 409:
                return new ConflictException(this);
            case 400:
            case 422:
                return new InvalidRequestException(this);
            case 429:
                return new RateLimitedException(this);
            default:
                return status >= 500 ? new ServerException(this) : new ApiException(this);
        }
    }

    String text(String... names) {
        for (String name : names) {
            if (body.get(name) instanceof String) {
                return (String) body.get(name);
            }
        }
        return "";
    }

    String requestId() {
        return headers.firstValue("Request-Id").orElse(text("request_id"));
    }

    List<ApiException.Fault> errors() {
        List<ApiException.Fault> found = new ArrayList<>();
        if (body.get("errors") instanceof List<?>) {
            for (Object one : (List<?>) body.get("errors")) {
                if (one instanceof Map<?, ?>) {
                    Map<?, ?> fault = (Map<?, ?>) one;
                    found.add(new ApiException.Fault(said(fault.get("pointer")), said(fault.get("message"))));
                }
            }
        }
        return List.copyOf(found);
    }

    /** What Retry-After says: seconds or a date. */
    Optional<Duration> retryAfter() {
        String text = headers.firstValue("Retry-After").orElse("").strip();
        if (text.matches("[0-9]{1,9}")) {
            return Optional.of(Duration.ofSeconds(Long.parseLong(text)));
        }
        try {
            Instant at = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
            Duration wait = Duration.between(Instant.now(), at);
            return Optional.of(wait.isNegative() ? Duration.ZERO : wait);
        } catch (DateTimeParseException error) {
            return Optional.empty();
        }
    }

    private static String said(Object value) {
        return value instanceof String ? (String) value : "";
    }
}
