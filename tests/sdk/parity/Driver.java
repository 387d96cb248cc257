import gov.kaimen.sdk.parity.*;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The Java SDK as a driver of the certificate: the protocol of {@code kaimen parity}, each call by Dispatch. */
public final class Driver {
    private static final int TRIES = 8; // of a call that a quota turns away

    private Driver() {}

    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Map<String, Object> begin = object(Json.parse(lines.readLine()));
        Kaimen client =
                Kaimen.builder().baseUrl((String) begin.get("origin")).accessToken((String) begin.get("token")).build();
        out.println("{\"kaimen_parity\": 1}");
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Map<String, Object> question = object(Json.parse(line));
            Map<String, Object> told = new LinkedHashMap<>();
            told.put("case", question.get("case"));
            try {
                ask(client, question, told);
            } catch (Dispatch.Unsaid why) {
                told.put("unsaid", why.getMessage());
            }
            out.println(Json.write(told));
        }
    }

    private static void ask(Kaimen client, Map<String, Object> question, Map<String, Object> told) throws Exception {
        if (Boolean.FALSE.equals(question.get("with_token"))) {
            throw new Dispatch.Unsaid("an SDK sends its token with every call");
        }
        Map<String, Object> values = new LinkedHashMap<>();
        for (Object one : (List<?>) question.get("parameters")) {
            Map<String, Object> parameter = object(one);
            values.put((String) parameter.get("name"), parameter.get("value"));
        }
        CallOptions options = new CallOptions().header("Accept-Language", "en").maxRetries(0);
        if (question.get("purpose") instanceof String purpose) {
            options.header("Kaimen-Purpose", purpose);
        }
        if (question.get("scenario") instanceof String scenario) {
            options.scenario(scenario);
        }
        if (question.get("idempotency_key") instanceof String key) {
            options.idempotencyKey(key);
        }
        options.onResponse(
                raw -> {
                    told.put("status", (long) raw.status());
                    told.put("synthetic", raw.headers().firstValue("Kaimen-Sandbox").orElse("").equals("synthetic"));
                });
        String key = question.get("service") + "/" + question.get("operation");
        for (int attempt = 1; ; attempt++) {
            try {
                told.put("body", Dispatch.call(client, key, values, question.get("body"), options));
                return;
            } catch (ApiException refused) {
                if (refused.status() != 429 || attempt == TRIES) {
                    told.put("status", (long) refused.status());
                    told.put("body", refused.problem());
                    return;
                }
                Thread.sleep(Math.min(refused.retryAfter().orElse(Duration.ofSeconds(1)).toMillis(), 30_000));
            }
        }
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(Object json) {
        return (Map<String, Object>) json;
    }
}
