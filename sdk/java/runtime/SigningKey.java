package kaimen;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPrivateKeySpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Map;

/** A private EC P-256 key, to sign with ES256. It never shows itself. */
public final class SigningKey {
    private final PrivateKey key;
    private final String id;

    SigningKey(PrivateKey key, String id) {
        this.key = key;
        this.id = id;
    }

    /** Of a private JWK; its {@code kid} names the key. */
    public static SigningKey fromJwk(String jwk) {
        Map<String, Object> found = Codec.object(Json.parse(jwk));
        if (!"EC".equals(found.get("kty")) || !"P-256".equals(found.get("crv")) || !(found.get("d") instanceof String)) {
            throw new IllegalArgumentException("the key is no private EC P-256 key");
        }
        BigInteger number = new BigInteger(1, Base64.getUrlDecoder().decode((String) found.get("d")));
        try {
            PrivateKey made = KeyFactory.getInstance("EC").generatePrivate(new ECPrivateKeySpec(number, curve()));
            return new SigningKey(made, found.get("kid") instanceof String ? (String) found.get("kid") : "");
        } catch (GeneralSecurityException error) {
            throw new IllegalArgumentException("the key is no private EC P-256 key", error);
        }
    }

    /** Of PKCS #8 in PEM ({@code BEGIN PRIVATE KEY}); {@code keyId} names it among those registered, "" for none. */
    public static SigningKey fromPem(String pem, String keyId) {
        String plain = pem.replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
        try {
            PKCS8EncodedKeySpec spec = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(plain));
            PrivateKey made = KeyFactory.getInstance("EC").generatePrivate(spec);
            if (((ECPrivateKey) made).getParams().getOrder().bitLength() != 256) {
                throw new IllegalArgumentException("the key is no private EC P-256 key");
            }
            return new SigningKey(made, keyId);
        } catch (GeneralSecurityException error) {
            throw new IllegalArgumentException("the key is no private EC key in PKCS #8", error);
        }
    }

    private static ECParameterSpec curve() throws GeneralSecurityException {
        AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
        parameters.init(new ECGenParameterSpec("secp256r1"));
        return parameters.getParameterSpec(ECParameterSpec.class);
    }

    String id() {
        return id;
    }

    /** A compact JWS. */
    String jwt(Map<String, Object> head, Map<String, Object> claims) {
        String text = encoded(Json.write(head)) + "." + encoded(Json.write(claims));
        try {
            Signature signer = Signature.getInstance("SHA256withECDSAinP1363Format");
            signer.initSign(key);
            signer.update(text.getBytes(StandardCharsets.US_ASCII));
            return text + "." + encoded(signer.sign());
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException("this Java cannot sign with ES256", error);
        }
    }

    private static String encoded(String text) {
        return encoded(text.getBytes(StandardCharsets.UTF_8));
    }

    static String encoded(byte[] data) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(data);
    }

    @Override
    public String toString() {
        return "SigningKey{id=" + id + "}";
    }
}
