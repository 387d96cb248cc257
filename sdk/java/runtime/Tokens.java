package kaimen;

import java.net.http.HttpHeaders;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;

/** Tokens by client_credentials, one request for callers at the same moment, and DPoP proofs. */
final class Tokens {
    private static final double EARLY_SECONDS = 30;
    private static final int MOST_CHALLENGES = 2;

    private final Transport transport;
    private final Settings settings;
    private final Map<String, Token> kept = new HashMap<>();
    private final Map<String, CompletableFuture<String>> asking = new HashMap<>();
    private final Map<String, String> nonces = new ConcurrentHashMap<>();
    private volatile Duration skew = Duration.ZERO;
    private SigningKey proving;
    private Map<String, Object> provingJwk;

    /** No record: it would print itself. */
    private static final class Token {
        private final String value;
        private final long until;

        Token(String value, long until) {
            this.value = value;
            this.until = until;
        }
    }

    Tokens(Transport transport, Settings settings) {
        this.transport = transport;
        this.settings = settings;
    }

    String get(String scope) {
        if (settings.accessToken != null) {
            return settings.accessToken;
        }
        while (true) {
            CompletableFuture<String> one;
            boolean isMine = false;
            synchronized (kept) {
                Token known = kept.get(scope);
                if (known != null && System.nanoTime() - known.until < 0) {
                    return known.value;
                }
                one = asking.get(scope);
                if (one == null) {
                    one = new CompletableFuture<>();
                    asking.put(scope, one);
                    isMine = true;
                }
            }
            if (isMine) {
                return lead(scope, one);
            }
            try {
                return one.join();
            } catch (CompletionException error) {
                if (error.getCause() instanceof CallInterruptedException) {
                    continue; // the thread that asked for all went away: another asks
                }
                throw error.getCause() instanceof KaimenException ? (KaimenException) error.getCause() : error;
            }
        }
    }

    private String lead(String scope, CompletableFuture<String> one) {
        try {
            String value = ask(scope);
            finish(scope);
            one.complete(value);
            return value;
        } catch (RuntimeException | Error error) {
            finish(scope);
            one.completeExceptionally(error);
            throw error;
        }
    }

    private void finish(String scope) {
        synchronized (kept) {
            asking.remove(scope);
        }
    }

    void forget(String scope, String value) {
        synchronized (kept) {
            Token known = kept.get(scope);
            if (known != null && known.value.equals(value)) {
                kept.remove(scope);
            }
        }
    }

    /** Take the server's clock and nonce from an answer; the nonce, "" for none. */
    String saw(HttpHeaders headers, String place) {
        headers.firstValue("Date")
                .ifPresent(
                        text -> {
                            try {
                                Instant at = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
                                skew = Duration.between(Instant.now(), at);
                            } catch (DateTimeParseException error) {
                                skew = Duration.ZERO;
                            }
                        });
        String nonce = headers.firstValue("DPoP-Nonce").orElse("");
        if (!nonce.isEmpty()) {
            nonces.put(place, nonce);
        }
        return nonce;
    }

    private String ask(String scope) {
        String place = settings.baseUrl + "/oauth/token";
        for (int attempt = 0; ; attempt++) {
            Map<String, String> form = new LinkedHashMap<>();
            Map<String, String> headers = new LinkedHashMap<>();
            form.put("grant_type", "client_credentials");
            if (!scope.isEmpty()) {
                form.put("scope", scope);
            }
            headers.put("Content-Type", "application/x-www-form-urlencoded");
            headers.put("Accept", "application/json");
            identify(form, headers);
            if (settings.isDpop) {
                headers.put("DPoP", proof("POST", place, "", "token"));
            }
            StringBuilder text = new StringBuilder();
            form.forEach(
                    (name, value) ->
                            text.append(text.length() == 0 ? "" : "&").append(name).append('=').append(Call.escaped(value)));
            HttpResponse<byte[]> response =
                    transport.send(
                            "POST", place, headers, BodyPublishers.ofString(text.toString()),
                            BodyHandlers.ofByteArray(), settings.timeout);
            String nonce = saw(response.headers(), "token");
            ApiProblem said = ApiProblem.of(response.statusCode(), response.headers(), response.body());
            String token = said.text("access_token");
            if (response.statusCode() == 200 && !token.isEmpty()) {
                keep(scope, token, said.body.get("expires_in"));
                return token;
            }
            if (said.text("error").equals("use_dpop_nonce") && !nonce.isEmpty() && attempt < MOST_CHALLENGES) {
                continue;
            }
            Duration wait = said.retryAfter().orElse(Transport.backOff(attempt));
            if (!Transport.isRepeatable(said.status)
                    || attempt >= settings.maxRetries
                    || wait.compareTo(Transport.MOST_WAIT) > 0) {
                throw said.exception(true);
            }
            Transport.pause(wait);
        }
    }

    private void keep(String scope, String token, Object expires) {
        double lifetime = expires instanceof Number ? ((Number) expires).doubleValue() : 0;
        lifetime = lifetime > 0 ? Math.min(lifetime, 86_400 * 365.0) : 300;
        double left = lifetime - Math.min(EARLY_SECONDS, lifetime / 4);
        synchronized (kept) {
            kept.put(scope, new Token(token, System.nanoTime() + (long) (left * 1e9)));
        }
    }

    private void identify(Map<String, String> form, Map<String, String> headers) {
        if (settings.privateKey == null) {
            String pair = Call.escaped(settings.clientId) + ":" + Call.escaped(settings.clientSecret);
            String encoded = Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.US_ASCII));
            headers.put("Authorization", "Basic " + encoded);
            return;
        }
        Map<String, Object> head = new LinkedHashMap<>(Map.of("alg", "ES256", "typ", "JWT"));
        if (!settings.privateKey.id().isEmpty()) {
            head.put("kid", settings.privateKey.id());
        }
        long now = now();
        String id = settings.clientId;
        Map<String, Object> claims =
                Map.of(
                        "iss", id, "sub", id, "aud", settings.baseUrl, "jti", UUID.randomUUID().toString(), "iat", now,
                        "exp", now + 60);
        form.put("client_id", id);
        form.put("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        form.put("client_assertion", settings.privateKey.jwt(head, claims));
    }

    private long now() {
        return Instant.now().plus(skew).getEpochSecond();
    }

    String proof(String method, String place, String token, String nonceOf) {
        try {
            Map<String, Object> claims = new LinkedHashMap<>();
            claims.put("htm", method);
            claims.put("htu", place.split("[?#]", 2)[0]);
            claims.put("jti", UUID.randomUUID().toString());
            claims.put("iat", now());
            if (nonces.containsKey(nonceOf)) {
                claims.put("nonce", nonces.get(nonceOf));
            }
            if (!token.isEmpty()) {
                byte[] data = token.getBytes(StandardCharsets.US_ASCII);
                claims.put("ath", SigningKey.encoded(MessageDigest.getInstance("SHA-256").digest(data)));
            }
            synchronized (nonces) {
                if (proving == null) {
                    makeKey();
                }
            }
            return proving.jwt(Map.of("alg", "ES256", "typ", "dpop+jwt", "jwk", provingJwk), claims);
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException("this Java cannot sign with ES256", error);
        }
    }

    private void makeKey() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        KeyPair pair = generator.generateKeyPair();
        ECPublicKey open = (ECPublicKey) pair.getPublic();
        provingJwk =
                Map.of(
                        "kty", "EC", "crv", "P-256",
                        "x", SigningKey.encoded(fixed(open.getW().getAffineX().toByteArray())),
                        "y", SigningKey.encoded(fixed(open.getW().getAffineY().toByteArray())));
        proving = new SigningKey(pair.getPrivate(), "");
    }

    /** 32 bytes, without the sign that BigInteger puts before them. */
    private static byte[] fixed(byte[] number) {
        byte[] made = new byte[32];
        int length = Math.min(32, number.length);
        System.arraycopy(number, number.length - length, made, 32 - length, length);
        return made;
    }
}
