package kaimen;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** Makes calls: tokens, repetitions, errors. */
final class Transport {
    static final Duration MOST_WAIT = Duration.ofSeconds(60);
    private static final double BACK_OFF_FIRST_MS = 250;

    private final Settings settings;
    private final String agent;
    private final String scopes;
    private final HttpClient http;
    private final Tokens tokens;

    Transport(Settings settings, String artifact, String version, String... scopes) {
        this.settings = settings;
        this.scopes = String.join(" ", settings.scopes == null ? List.of(scopes) : settings.scopes);
        String java = System.getProperty("java.version", "").replaceAll("[^0-9A-Za-z._+-]", "");
        this.agent = "kaimen-sdk-java/" + version + " (" + artifact + "/" + version + "; Java/" + java + ")";
        HttpClient.Builder builder =
                settings.http == null ? HttpClient.newBuilder().connectTimeout(settings.timeout) : settings.http;
        // a token never goes to another host
        this.http = builder.followRedirects(HttpClient.Redirect.NEVER).build();
        this.tokens = new Tokens(this, settings);
    }

    static boolean isRepeatable(int status) {
        return status == 429 || status == 502 || status == 503 || status == 504;
    }

    static Duration backOff(int attempt) {
        double most = BACK_OFF_FIRST_MS * Math.pow(2, Math.min(attempt, 8));
        return Duration.ofMillis((long) (most * (0.5 + ThreadLocalRandom.current().nextDouble() / 2)));
    }

    static void pause(Duration wait) {
        try {
            Thread.sleep(wait.toMillis());
        } catch (InterruptedException error) {
            throw interrupted(error);
        }
    }

    private static CallInterruptedException interrupted(InterruptedException error) {
        Thread.currentThread().interrupt();
        return new CallInterruptedException("the thread was interrupted", error);
    }

    <T> HttpResponse<T> send(
            String method, String place, Map<String, String> headers, BodyPublisher body, BodyHandler<T> handler,
            Duration timeout) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(place)).method(method, body);
        if (place.startsWith("http://")) { // no attempt to upgrade to h2c
            request.version(HttpClient.Version.HTTP_1_1);
        }
        headers.forEach(request::setHeader);
        request.setHeader("User-Agent", agent);
        CompletableFuture<HttpResponse<T>> sent = http.sendAsync(request.build(), handler);
        try {
            return sent.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException error) {
            sent.cancel(true);
            throw new RequestTimeoutException("no answer within " + timeout, error);
        } catch (InterruptedException error) {
            sent.cancel(true);
            throw interrupted(error);
        } catch (ExecutionException error) {
            Throwable cause = error.getCause();
            if (cause instanceof HttpTimeoutException) {
                throw new RequestTimeoutException("no connection within the time allowed", cause);
            }
            throw new ConnectionException("connection failed: " + cause, cause);
        }
    }

    /** The response once it is a success, after repetitions. */
    private <T> HttpResponse<T> open(
            Call call, CallOptions given, BodyHandler<T> handler, Function<T, byte[]> reader) {
        CallOptions options = given == null ? new CallOptions() : given;
        String scope = call.scope == null ? scopes : call.scope;
        Map<String, String> headers = headersOf(call, options);
        String place = settings.baseUrl + call.address();
        boolean mayRepeat =
                (call.method.equals("GET") || call.method.equals("HEAD") || call.isIdempotent) && !call.isStream;
        int most = options.maxRetries == null ? settings.maxRetries : options.maxRetries;
        Duration timeout = options.timeout == null ? settings.timeout : options.timeout;
        boolean isRenewed = false;
        boolean isChallenged = false;
        int attempt = 0;
        while (true) {
            String token = tokens.get(scope);
            authorise(headers, call.method, place, token);
            HttpResponse<T> response;
            try {
                response = send(call.method, place, headers, call.publisher(), handler, timeout);
            } catch (ConnectionException error) {
                if (!mayRepeat || attempt >= most) {
                    throw error;
                }
                pause(backOff(attempt++));
                continue;
            }
            int status = response.statusCode();
            String nonce = tokens.saw(response.headers(), "api");
            if (status >= 200 && status < 300) {
                options.onResponse.accept(rawOf(response));
                return response;
            }
            ApiProblem refusal = ApiProblem.of(status, response.headers(), reader.apply(response.body()));
            if (status == 401 && settings.isDpop && !nonce.isEmpty() && !isChallenged && !call.isStream) {
                isChallenged = true;
                continue;
            }
            if (status == 401 && !isRenewed && !call.isStream && settings.accessToken == null) {
                isRenewed = true;
                tokens.forget(scope, token);
                continue;
            }
            Duration wait = refusal.retryAfter().orElse(backOff(attempt));
            if (!isRepeatable(status) || !mayRepeat || attempt >= most || wait.compareTo(MOST_WAIT) > 0) {
                throw refusal.exception(false);
            }
            pause(wait);
            attempt++;
        }
    }

    private Map<String, String> headersOf(Call call, CallOptions options) {
        Map<String, String> headers = new LinkedHashMap<>(call.headers());
        headers.put("Accept", call.accept);
        if (call.contentType != null) {
            headers.put("Content-Type", call.contentType);
        }
        String scenario = options.scenario == null ? settings.scenario : options.scenario;
        if (scenario != null) {
            headers.put("Kaimen-Scenario", scenario);
        }
        if (call.isIdempotent) {
            String key = options.idempotencyKey;
            headers.put("Idempotency-Key", key == null ? UUID.randomUUID().toString() : key);
        }
        headers.putAll(options.headers);
        return headers;
    }

    private void authorise(Map<String, String> headers, String method, String place, String token) {
        headers.put("Authorization", (settings.isDpop ? "DPoP " : "Bearer ") + token);
        if (settings.isDpop) {
            headers.put("DPoP", tokens.proof(method, place, token, "api"));
        }
    }

    private static RawResponse rawOf(HttpResponse<?> response) {
        HttpHeaders headers = response.headers();
        return new RawResponse(response.statusCode(), headers, headers.firstValue("Request-Id").orElse(""));
    }

    private HttpResponse<byte[]> whole(Call call, CallOptions options) {
        return open(call, options, BodyHandlers.ofByteArray(), data -> data);
    }

    private static <T> T decoded(HttpResponse<byte[]> response, Function<Object, T> reader) {
        try {
            return reader.apply(response.body().length == 0 ? null : Json.parse(response.body()));
        } catch (DecodingException error) {
            String id = response.headers().firstValue("Request-Id").orElse("");
            throw new DecodingException("the answer cannot be read (" + id + "): " + error.getMessage(), error);
        }
    }

    /** The JSON of the answer; null where it is empty. */
    <T> T value(Call call, CallOptions options, Codec<T> codec) {
        return decoded(whole(call, options), codec::read);
    }

    void nothing(Call call, CallOptions options) {
        whole(call, options);
    }

    String text(Call call, CallOptions options) {
        return new String(whole(call, options).body(), StandardCharsets.UTF_8);
    }

    /** The body as a stream; whoever reads it closes it. */
    InputStream stream(Call call, CallOptions options) {
        return open(call, options, BodyHandlers.ofInputStream(), Transport::readAll).body();
    }

    private static byte[] readAll(InputStream stream) {
        try (stream) {
            return stream.readNBytes(1 << 20);
        } catch (IOException error) {
            return new byte[0];
        }
    }

    /** How an operation gives its list page by page; `items` "" where the answer is the list. */
    record Paging(String style, String cursor, String size, String items, String next) {}

    <T> Pages<T> pages(Call call, CallOptions options, Codec<T> item, Paging paging) {
        return new Pages<>(
                cursor -> {
                    Call made = call.at(paging.cursor, cursor);
                    HttpResponse<byte[]> response = whole(made, options);
                    return decoded(response, json -> pageOf(made, json, item, paging, rawOf(response)));
                });
    }

    private static <T> Page<T> pageOf(Call call, Object json, Codec<T> item, Paging paging, RawResponse raw) {
        Map<String, Object> page = json instanceof Map<?, ?> ? Codec.object(json) : Map.of();
        Object found = paging.items.isEmpty() ? json : page.get(paging.items);
        List<T> items = found == null ? List.of() : Codec.list(item).read(found);
        Optional<String> next = Optional.empty();
        if (paging.style.equals("cursor")) {
            next = Optional.of(Call.plain(page.get(paging.next))).filter(one -> !one.isEmpty());
        } else if (!items.isEmpty() && items.size() >= call.number(paging.size, 0)) {
            boolean isPage = paging.style.equals("page");
            long start = call.number(paging.cursor, isPage ? 1 : 0);
            next = Optional.of(Long.toString(start + (isPage ? 1 : items.size())));
        }
        return new Page<>(items, next, raw);
    }

    @Override
    public String toString() {
        return "Kaimen{baseUrl=" + settings.baseUrl + ", clientId=" + settings.clientId + "}";
    }
}
