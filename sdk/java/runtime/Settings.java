package kaimen;

import java.net.http.HttpClient;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;

/** What a client was told. */
final class Settings {
    String baseUrl;
    String clientId;
    String clientSecret;
    String accessToken;
    SigningKey privateKey;
    boolean isDpop;
    Duration timeout = Duration.ofSeconds(30);
    int maxRetries = 2;
    List<String> scopes;
    String scenario;
    HttpClient.Builder http;
    Executor executor = ForkJoinPool.commonPool();

    /** Read what is missing from the environment. */
    void complete() {
        baseUrl = read(baseUrl, "KAIMEN_BASE_URL", "http://127.0.0.1:8000").replaceAll("/+$", "");
        clientId = read(clientId, "KAIMEN_CLIENT_ID", "");
        if (!baseUrl.startsWith("http://") && !baseUrl.startsWith("https://")) {
            throw new IllegalStateException("baseUrl begins with http:// or https://, not " + baseUrl);
        }
        if (accessToken != null) {
            if (isDpop || accessToken.isEmpty()) {
                throw new IllegalStateException(
                        "accessToken is empty or bound to a key: a token of your own goes out as Bearer");
            }
            return;
        }
        if (clientId.isEmpty()) {
            throw new IllegalStateException("no client id: call clientId(…), or set KAIMEN_CLIENT_ID");
        }
        if (privateKey == null) {
            clientSecret = read(clientSecret, "KAIMEN_CLIENT_SECRET", "");
            if (clientSecret.isEmpty()) {
                throw new IllegalStateException(
                        "no secret: call clientSecret(…) or privateKey(…), or set KAIMEN_CLIENT_SECRET");
            }
        }
    }

    private static String read(String given, String name, String otherwise) {
        if (given != null && !given.isEmpty()) {
            return given;
        }
        String found = System.getenv(name);
        return found == null || found.isEmpty() ? otherwise : found;
    }
}
