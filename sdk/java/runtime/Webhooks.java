package kaimen;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Checks deliveries (Standard Webhooks: v1 with {@code whsec_…}, v1a with {@code whpk_…}). */
public final class Webhooks {
    private static final long TOLERANCE_SECONDS = 300;
    // what goes before a raw Ed25519 key in X.509 (RFC 8410)
    private static final byte[] ED25519 = HexFormat.of().parseHex("302a300506032b6570032100");

    private Webhooks() {}

    /**
     * The event of a delivery whose signature fits one of the keys and whose time is within five minutes.
     *
     * @param payload the body, byte for byte
     * @param headers of the delivery; case does not matter
     * @param keys secrets {@code whsec_…} or public keys {@code whpk_…}; several while they are rotated
     * @throws WebhookException for one that is not to be trusted
     */
    public static WebhookEvent verify(byte[] payload, Map<String, String> headers, String... keys) {
        Map<String, String> given = new TreeMap<>();
        headers.forEach((name, value) -> given.put(name.toLowerCase(Locale.ROOT), value));
        String id = given.getOrDefault("webhook-id", "");
        String at = given.getOrDefault("webhook-timestamp", "");
        String marks = given.getOrDefault("webhook-signature", "");
        if (id.isEmpty() || marks.isEmpty() || !at.matches("[0-9]{1,15}")) {
            throw new WebhookException("webhook-id, webhook-timestamp or webhook-signature is missing", null);
        }
        if (Math.abs(Instant.now().getEpochSecond() - Long.parseLong(at)) > TOLERANCE_SECONDS) {
            throw new WebhookException("the timestamp is too old or too new", null);
        }
        ByteArrayOutputStream signed = new ByteArrayOutputStream();
        signed.writeBytes((id + "." + at + ".").getBytes(StandardCharsets.UTF_8));
        signed.writeBytes(payload);
        for (String mark : marks.strip().split("\\s+")) {
            for (String key : keys) {
                if (fits(mark, signed.toByteArray(), key)) {
                    return eventOf(payload);
                }
            }
        }
        throw new WebhookException("no signature fits: the secret is another one, or the payload was changed", null);
    }

    private static WebhookEvent eventOf(byte[] payload) {
        try {
            return new WebhookEvent(Codec.object(Json.parse(payload)));
        } catch (DecodingException error) {
            throw new WebhookException("the payload is no CloudEvent", error);
        }
    }

    private static boolean fits(String mark, byte[] signed, String key) {
        try {
            if (mark.startsWith("v1,") && key.startsWith("whsec_")) {
                Mac mac = Mac.getInstance("HmacSHA256");
                mac.init(new SecretKeySpec(decoded(key.substring(6)), "HmacSHA256"));
                return MessageDigest.isEqual(mac.doFinal(signed), decoded(mark.substring(3)));
            }
            if (mark.startsWith("v1a,") && key.startsWith("whpk_")) {
                ByteArrayOutputStream encoded = new ByteArrayOutputStream();
                encoded.writeBytes(ED25519);
                encoded.writeBytes(decoded(key.substring(5)));
                Signature check = Signature.getInstance("Ed25519");
                check.initVerify(KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded.toByteArray())));
                check.update(signed);
                return check.verify(decoded(mark.substring(4)));
            }
            return false;
        } catch (GeneralSecurityException | IllegalArgumentException error) {
            return false;
        }
    }

    private static byte[] decoded(String text) {
        return Base64.getDecoder().decode(text);
    }
}
