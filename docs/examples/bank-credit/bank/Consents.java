package bank;

import com.sun.net.httpserver.HttpServer;
import gov.kaimen.sdk.app0a1b2c3d.Json;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** A company's consent, by two roads: a persona of the sandbox, or its representative in a browser (OAuth 2.0 with PKCE). */
final class Consents {
    private static final List<Object> DETAILS = List.of(detail("tax@v1"), detail("credit@v1"));
    private static final int MINUTES_TO_DECIDE = 10;

    /** What the representative agreed to: a token, good for one company. */
    record Consent(String accessToken, String company) {}

    /** No consent, in the platform's own words. */
    static final class RefusedException extends Exception {
        private static final long serialVersionUID = 1L;
        private final String requestId;

        RefusedException(Map<String, Object> problem) {
            super(
                    List.of("title", "detail", "error", "error_description", "next").stream()
                            .map(name -> text(problem, name))
                            .filter(one -> !one.isEmpty())
                            .collect(Collectors.joining("\n")));
            requestId = text(problem, "request_id");
        }

        String requestId() {
            return requestId;
        }
    }

    private final String origin;
    private final String clientId;
    private final String basic;
    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    Consents(String origin, String clientId, String clientSecret) {
        this.origin = origin;
        this.clientId = clientId;
        byte[] pair = (clientId + ":" + clientSecret).getBytes(StandardCharsets.UTF_8);
        this.basic = "Basic " + Base64.getEncoder().encodeToString(pair);
    }

    /** A persona of the sandbox agrees at once; the fields in `refused` stay unticked. */
    Consent ofPersona(String persona, String company, List<String> refused)
            throws IOException, InterruptedException, RefusedException {
        Map<String, Object> wish = new LinkedHashMap<>();
        wish.put("persona", persona);
        wish.put("authorization_details", DETAILS);
        wish.put("refuse", refused);
        if (!company.isEmpty()) {
            wish.put("organisation", company);
        }
        return consent(object(post("/platform/v1/sandbox/grants", "application/json", Json.write(wish)).get("token")));
    }

    /** The representative decides in a browser, which comes back to this computer; `show` gets the address to open. */
    Consent inBrowser(int port, Consumer<String> show)
            throws IOException, InterruptedException, RefusedException, TimeoutException {
        String callback = "http://127.0.0.1:" + port + "/callback";
        String verifier = word(48);
        String state = word(16);
        Map<String, String> query = new LinkedHashMap<>();
        query.put("response_type", "code");
        query.put("client_id", clientId);
        query.put("redirect_uri", callback);
        query.put("state", state);
        query.put("code_challenge", url64(sha256(verifier)));
        query.put("code_challenge_method", "S256");
        query.put("authorization_details", Json.write(DETAILS));
        Map<String, String> came = visit(port, () -> show.accept(origin + "/oauth/authorize?" + form(query)));
        if (!state.equals(came.get("state")) || !origin.equals(came.get("iss"))) {
            throw new IOException("another answer than the one that was asked for: nothing was done with it");
        }
        if (came.containsKey("error")) {
            throw new RefusedException(new HashMap<>(came));
        }
        Map<String, String> exchange = new LinkedHashMap<>();
        exchange.put("grant_type", "authorization_code");
        exchange.put("code", came.get("code"));
        exchange.put("redirect_uri", callback);
        exchange.put("code_verifier", verifier);
        return consent(post("/oauth/token", "application/x-www-form-urlencoded", form(exchange)));
    }

    /** The query of one visit to /callback. */
    private static Map<String, String> visit(int port, Runnable ready)
            throws IOException, InterruptedException, TimeoutException {
        CompletableFuture<Map<String, String>> came = new CompletableFuture<>();
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext(
                "/callback",
                exchange -> {
                    byte[] page = "You may close this page. 可以关闭本页。".getBytes(StandardCharsets.UTF_8);
                    exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
                    exchange.sendResponseHeaders(200, page.length);
                    exchange.getResponseBody().write(page);
                    exchange.close();
                    came.complete(parsed(exchange.getRequestURI().getRawQuery()));
                });
        server.start();
        try {
            ready.run();
            return came.get(MINUTES_TO_DECIDE, TimeUnit.MINUTES);
        } catch (ExecutionException error) {
            throw new IOException(error.getCause());
        } finally {
            server.stop(1);
        }
    }

    private Map<String, Object> post(String path, String type, String body)
            throws IOException, InterruptedException, RefusedException {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(origin + path))
                        .timeout(Duration.ofSeconds(30))
                        .header("Content-Type", type)
                        .header("Authorization", basic)
                        .header("Accept-Language", "en")
                        .POST(BodyPublishers.ofString(body))
                        .build();
        HttpResponse<byte[]> answer = http.send(request, BodyHandlers.ofByteArray());
        Map<String, Object> said = object(Json.parse(answer.body()));
        if (answer.statusCode() / 100 != 2) {
            throw new RefusedException(said);
        }
        return said;
    }

    private static Consent consent(Map<String, Object> token) {
        Map<String, Object> first = object(((List<?>) token.get("authorization_details")).get(0));
        return new Consent(text(token, "access_token"), text(first, "organisation"));
    }

    private static Map<String, Object> detail(String service) {
        return Map.of("type", "kaimen-service", "service", service, "purpose", "bank-credit");
    }

    private static Map<String, String> parsed(String query) {
        Map<String, String> found = new LinkedHashMap<>();
        for (String pair : query == null ? new String[0] : query.split("&")) {
            String[] parts = pair.split("=", 2);
            found.put(parts[0], parts.length == 2 ? URLDecoder.decode(parts[1], StandardCharsets.UTF_8) : "");
        }
        return found;
    }

    private static String form(Map<String, String> pairs) {
        return pairs.entrySet().stream()
                .map(one -> one.getKey() + "=" + URLEncoder.encode(one.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
    }

    private static Map<String, Object> object(Object json) {
        Map<String, Object> found = new LinkedHashMap<>();
        if (json instanceof Map<?, ?> members) {
            members.forEach((name, value) -> found.put((String) name, value));
        }
        return found;
    }

    private static String text(Map<String, Object> body, String name) {
        return body.get(name) instanceof String found ? found : "";
    }

    private static String word(int size) {
        byte[] bytes = new byte[size];
        new SecureRandom().nextBytes(bytes);
        return url64(bytes);
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.US_ASCII));
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    private static String url64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
