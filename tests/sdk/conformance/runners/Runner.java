import gov.kaimen.sdk.conformance.*;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;

/** The Java SDK on the conformance scenarios: JSON lines in, JSON lines out (scenarios.yaml). */
public final class Runner {
    private Runner() {}

    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Map<String, Object> answer = new LinkedHashMap<>();
            try {
                answer.put("value", act(object(Json.parse(line))));
                answer.put("ok", true);
            } catch (RuntimeException error) {
                answer.put("ok", false);
                answer.put("error", shown(error));
            }
            out.println(Json.write(answer));
        }
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(Object json) {
        return json == null ? Map.of() : (Map<String, Object>) json;
    }

    private static String text(Map<String, Object> given, String name) {
        return (String) given.get(name);
    }

    private static Kaimen clientOf(Map<String, Object> request) {
        Map<String, Object> given = object(request.get("client"));
        Kaimen.Builder builder = Kaimen.builder().baseUrl(text(request, "base_url")).clientId(text(given, "client_id"));
        builder.clientSecret(text(given, "client_secret")).dpop(Boolean.TRUE.equals(given.get("dpop")));
        builder.executor(Executors.newCachedThreadPool(Runner::daemon));
        if (given.get("access_token") != null) {
            builder.accessToken(text(given, "access_token"));
        }
        if (given.get("private_key_jwk") != null) {
            builder.privateKey(SigningKey.fromJwk(Json.write(given.get("private_key_jwk"))));
        }
        if (given.get("timeout") instanceof Number) {
            builder.timeout(Duration.ofMillis((long) (((Number) given.get("timeout")).doubleValue() * 1000)));
        }
        if (given.get("max_retries") instanceof Number) {
            builder.maxRetries(((Number) given.get("max_retries")).intValue());
        }
        return builder.build();
    }

    private static Thread daemon(Runnable task) {
        Thread made = new Thread(task);
        made.setDaemon(true);
        return made;
    }

    private static Object act(Map<String, Object> request) throws Exception {
        Kaimen client = clientOf(request);
        Map<String, Object> args = object(request.get("args"));
        ConformanceItemResource items = client.conformance().item();
        CallOptions options = optionsOf(args);
        String id = text(args, "id");
        switch (text(request, "action")) {
            case "get":
                return get(client, items, args, options);
            case "list":
                List<Object> every = new ArrayList<>();
                for (Item one : items.list(paramsOf(args), options)) {
                    every.add(one.id());
                }
                return every;
            case "first_page":
                Page<Item> page = items.list(paramsOf(args), options).first();
                Map<String, Object> found = new LinkedHashMap<>();
                found.put("ids", page.items().stream().map(Item::id).toList());
                found.put("next", page.nextCursor().orElse(null));
                return found;
            case "create":
                return flat(items.create(itemOf(object(args.get("item"))), options));
            case "update":
                return flat(items.update(id, changeOf(object(args.get("change"))), options));
            case "delete":
                items.delete(id, options);
                return null;
            case "download":
                return download(client.conformance().file().download(id, options));
            case "upload":
                byte[] data = new byte[((Number) args.get("bytes")).intValue()];
                Arrays.fill(data, (byte) 7);
                InputStream stream = new java.io.ByteArrayInputStream(data);
                client.conformance().file().upload(id, BodyPublishers.ofInputStream(() -> stream), options);
                return null;
            case "shape":
                return shape(client.conformance().shape().get(id, options));
            case "webhook":
                return webhook(args);
            case "describe":
                Item item = items.get("i1");
                return Map.of("text", client + " " + client.sandbox() + " " + items + " " + client.conformance() + " " + item);
            case "reset":
                return Map.of("records", client.sandbox().reset());
            case "scenarios":
                return Map.of("item_get", List.of(Scenarios.CONFORMANCE_ITEM_GET_NOT_FOUND));
            default:
                throw new IllegalArgumentException("no action " + request.get("action"));
        }
    }

    private static CallOptions optionsOf(Map<String, Object> args) {
        CallOptions options = new CallOptions().scenario(text(args, "scenario")).idempotencyKey(text(args, "idempotency_key"));
        if (!args.containsKey("payload")) {
            object(args.get("headers")).forEach((name, value) -> options.header(name, (String) value));
        }
        return options;
    }

    private static ConformanceListItemsParams paramsOf(Map<String, Object> args) {
        ConformanceListItemsParams params = new ConformanceListItemsParams().text(text(args, "text"));
        if (args.get("limit") != null) {
            params.limit(LIMIT.read(args.get("limit")));
        }
        if (args.get("state") != null) {
            params.state(State.of(text(args, "state")));
        }
        if (args.get("ids") != null) {
            params.ids(Codec.list(Codec.STRING).read(args.get("ids")));
        }
        if (args.get("since") != null) {
            params.since(OffsetDateTime.parse(text(args, "since")));
        }
        return params;
    }

    private static final Codec<Long> LIMIT = Codec.LONG;

    private static NewItem itemOf(Map<String, Object> given) {
        // the scenario of an invalid request sends an amount that no BigDecimal holds: by its name in JSON
        return NewItem.builder().name(text(given, "name")).set("amount", given.get("amount")).build();
    }

    private static ItemChange changeOf(Map<String, Object> given) {
        ItemChange.Builder made = ItemChange.builder();
        if (given.containsKey("name")) {
            made.name(text(given, "name"));
        }
        if (given.containsKey("note")) {
            made.note(text(given, "note"));
        }
        return made.build();
    }

    private static Object get(
            Kaimen client, ConformanceItemResource items, Map<String, Object> args, CallOptions options) throws Exception {
        String id = text(args, "id");
        if (Boolean.TRUE.equals(args.get("raw"))) {
            Map<String, Object> found = new LinkedHashMap<>();
            options.onResponse(
                    raw -> {
                        found.put("status", raw.status());
                        found.put("request_id", raw.requestId());
                        found.put("header", raw.headers().firstValue("Request-Id").orElse(""));
                    });
            items.get(id, options);
            return found;
        }
        if (args.get("concurrent") != null) {
            List<CompletableFuture<Item>> calls = new ArrayList<>();
            for (int count = 0; count < ((Number) args.get("concurrent")).intValue(); count++) {
                calls.add(client.async(() -> items.get(id, options)));
            }
            List<Object> found = new ArrayList<>();
            for (CompletableFuture<Item> one : calls) {
                found.add(flat(one.join()));
            }
            return found;
        }
        int times = args.get("times") == null ? 1 : ((Number) args.get("times")).intValue();
        Object last = null;
        for (int count = 0; count < times; count++) {
            if (count > 0 && args.get("pause") != null) {
                Thread.sleep((long) (((Number) args.get("pause")).doubleValue() * 1000));
            }
            last = flat(items.get(id, options));
        }
        return last;
    }

    /** The item as its typed getters give it, with what the contract does not name. */
    private static Object flat(Item item) {
        Map<String, Object> out = new LinkedHashMap<>(item.unknown());
        out.put("id", item.id());
        out.put("name", item.name());
        out.put("state", item.state().value());
        out.put("amount", item.amount().toPlainString());
        out.put("note", item.note().orElse(null));
        item.count().ifPresent(value -> out.put("count", value));
        item.price().ifPresent(value -> out.put("price", value));
        item.isOpen().ifPresent(value -> out.put("is_open", value));
        item.bornOn().ifPresent(value -> out.put("born_on", value.toString()));
        item.data().ifPresent(value -> out.put("data", new String(value, StandardCharsets.UTF_8)));
        out.put("tags", item.tags());
        out.put("labels", item.labels());
        item.企业名称().ifPresent(value -> out.put("企业名称", value));
        out.put("created_at_unix", item.createdAt().toEpochSecond());
        if (item.toString().contains("S-12345678")) {
            throw new IllegalStateException("a sensitive member is shown");
        }
        if (item.amount().compareTo(BigDecimal.ZERO) < 0 || !Item.CODEC.read(Json.parse(Json.write(item))).equals(item)) {
            throw new IllegalStateException("written and read again it is another");
        }
        return out;
    }

    private static Object download(InputStream stream) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        long bytes = 0;
        try (stream) {
            byte[] part = new byte[65536];
            for (int count = stream.read(part); count >= 0; count = stream.read(part)) {
                digest.update(part, 0, count);
                bytes += count;
            }
        }
        return Map.of("bytes", bytes, "sha256", HexFormat.of().formatHex(digest.digest()));
    }

    private static Object shape(Shape found) {
        if (found instanceof Circle circle) {
            return Map.of("type", "circle", "radius", circle.radius());
        }
        Map<String, Object> out = new LinkedHashMap<>(object(found.toJson()));
        out.put("type", found instanceof Shape.Unknown ? "unknown" : "square");
        return out;
    }

    private static Object webhook(Map<String, Object> args) {
        Map<String, String> headers = new LinkedHashMap<>();
        object(args.get("headers")).forEach((name, value) -> headers.put(name, (String) value));
        String key = args.get("secret") == null ? text(args, "public_key") : text(args, "secret");
        WebhookEvent event = Webhooks.verify(text(args, "payload").getBytes(StandardCharsets.UTF_8), headers, key);
        return Map.of("type", event.type(), "id", event.data(Events.CONFORMANCE_ITEM_CLOSED).id());
    }

    private static Object shown(RuntimeException error) {
        Map<String, Object> out = new LinkedHashMap<>();
        String name = error.getClass().getSimpleName().replace("Exception", "");
        out.put("class", name.equals("RequestTimeout") ? "Timeout" : name);
        out.put("message", String.valueOf(error));
        if (error instanceof ApiException refusal) {
            out.put("status", refusal.status());
            out.put("type", refusal.type());
            out.put("step", refusal.step());
            out.put("rule", refusal.rule());
            out.put("next", refusal.next());
            out.put("request_id", refusal.requestId());
            List<Object> faults = new ArrayList<>();
            refusal.errors().forEach(one -> faults.add(Map.of("pointer", one.pointer(), "message", one.message())));
            out.put("errors", faults);
            refusal.retryAfter().ifPresent(wait -> out.put("retry_after", wait.toSeconds()));
        }
        return out;
    }
}
