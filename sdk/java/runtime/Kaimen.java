package kaimen;

import java.net.http.HttpClient;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * The client of this package's services. One serves a whole program: it may be used by many threads and keeps its token.
 *
 * <pre>{@code
 * Kaimen client = Kaimen.create(); // KAIMEN_BASE_URL, KAIMEN_CLIENT_ID, KAIMEN_CLIENT_SECRET
 * }</pre>
 */
public final class Kaimen {
    /** The version of this package. */
    public static final String VERSION = "0";

    private static final String ARTIFACT = "artifact";
    private static final String[] SCOPES = {};

    private final Transport transport;
    private final Executor executor;
    private final Sandbox sandbox;

    // fields

    private Kaimen(Settings settings) {
        settings.complete();
        transport = new Transport(settings, ARTIFACT, VERSION, SCOPES);
        executor = settings.executor;
        sandbox = new Sandbox(transport);
        // made
    }

    /** A client as the environment says. */
    public static Kaimen create() {
        return builder().build();
    }

    /** A client with settings of your own. */
    public static Builder builder() {
        return new Builder();
    }

    /** The app's own sandbox. */
    public Sandbox sandbox() {
        return sandbox;
    }

    // methods

    /** Makes a call in the background: {@code client.async(() -> client.company().get(code))}. */
    public <T> CompletableFuture<T> async(Supplier<T> call) {
        return CompletableFuture.supplyAsync(call, executor);
    }

    /** Shows no secret. */
    @Override
    public String toString() {
        return transport.toString();
    }

    /** Settings of a client; what is not given is read from KAIMEN_BASE_URL, KAIMEN_CLIENT_ID and KAIMEN_CLIENT_SECRET. */
    public static final class Builder {
        private final Settings settings = new Settings();

        private Builder() {}

        /** The origin of the gateway; http://127.0.0.1:8000 where nothing says otherwise. */
        public Builder baseUrl(String baseUrl) {
            settings.baseUrl = baseUrl;
            return this;
        }

        /** The app's id. */
        public Builder clientId(String clientId) {
            settings.clientId = clientId;
            return this;
        }

        /** The app's secret. */
        public Builder clientSecret(String clientSecret) {
            settings.clientSecret = clientSecret;
            return this;
        }

        /** A token that you hold already, under a person's consent for instance: sent as it is, never renewed. */
        public Builder accessToken(String token) {
            settings.accessToken = Objects.requireNonNull(token, "token");
            return this;
        }

        /** A key in place of the secret: private_key_jwt with ES256. */
        public Builder privateKey(SigningKey key) {
            settings.privateKey = key;
            return this;
        }

        /** Binds tokens to a key of this client (RFC 9449). */
        public Builder dpop(boolean isOn) {
            settings.isDpop = isOn;
            return this;
        }

        /** Time of one attempt; 30 s. For a download, the time until it begins. */
        public Builder timeout(Duration timeout) {
            settings.timeout = Objects.requireNonNull(timeout, "timeout");
            return this;
        }

        /** Repetitions after the first attempt, of what may be repeated; 2. */
        public Builder maxRetries(int maxRetries) {
            settings.maxRetries = maxRetries;
            return this;
        }

        /** Scopes to ask for; those of all operations of the package. */
        public Builder scopes(List<String> scopes) {
            settings.scopes = List.copyOf(scopes);
            return this;
        }

        /** A scenario of the sandbox for every call. */
        public Builder scenario(String id) {
            settings.scenario = id;
            return this;
        }

        /** Brings proxies, certificates and the like; redirects are never followed. */
        public Builder httpClient(HttpClient.Builder http) {
            settings.http = http;
            return this;
        }

        /** Where {@link Kaimen#async} runs; the common pool. */
        public Builder executor(Executor executor) {
            settings.executor = Objects.requireNonNull(executor, "executor");
            return this;
        }

        /**
         * The client.
         *
         * @throws IllegalStateException where the id or the secret is missing
         */
        public Kaimen build() {
            return new Kaimen(settings);
        }
    }
}
