package kaimen;

import java.net.http.HttpHeaders;

/** The response that a value came in. */
public record RawResponse(int status, HttpHeaders headers, String requestId) {}
