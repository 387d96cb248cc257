package kaimen;

import java.io.ByteArrayOutputStream;
import java.net.URLEncoder;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.UnaryOperator;

/** A call before it is made: its address, headers and body. */
final class Call {
    final String method;
    private final String template;
    private final List<Given> every = new ArrayList<>();
    private BodyPublisher body;
    String contentType;
    String accept = "application/json";
    String scope;
    boolean isIdempotent;
    boolean isStream;

    private record Given(String wire, String location, String style, boolean explode, boolean isJson, Object value) {}

    Call(String method, String template) {
        this.method = method;
        this.template = template;
    }

    Call given(String wire, String location, String style, boolean explode, boolean isJson, Object value) {
        if (location.equals("path") && (value == null || value.equals(""))) {
            throw new IllegalArgumentException(wire + " is empty: the path needs it");
        }
        if (value != null) {
            every.add(new Given(wire, location, style, explode, isJson, value));
        }
        return this;
    }

    Call idempotent() {
        isIdempotent = true;
        return this;
    }

    Call accept(String mediaType) {
        accept = mediaType;
        return this;
    }

    Call scope(String name) {
        scope = name;
        return this;
    }

    private Call body(String mediaType, byte[] data) {
        contentType = mediaType;
        body = BodyPublishers.ofByteArray(data);
        return this;
    }

    Call json(String mediaType, Object value) {
        return value == null ? this : body(mediaType, bytes(Json.write(value)));
    }

    Call text(String mediaType, Object value) {
        return value == null ? this : body(mediaType, bytes(plain(value)));
    }

    Call stream(String mediaType, BodyPublisher publisher) {
        if (publisher != null) {
            contentType = mediaType;
            body = publisher;
            isStream = true;
        }
        return this;
    }

    Call form(String mediaType, Object value) {
        if (value == null) {
            return this;
        }
        List<String> pairs = new ArrayList<>();
        Codec.object(value)
                .forEach(
                        (name, one) -> {
                            for (Object each : one instanceof List<?> ? (List<?>) one : List.of(one == null ? "" : one)) {
                                pairs.add(escaped(name) + "=" + escaped(plain(each)));
                            }
                        });
        return body(mediaType, bytes(String.join("&", pairs)));
    }

    Call multipart(List<Part> parts) {
        if (parts == null) {
            return this;
        }
        String boundary = "kaimen-" + UUID.randomUUID();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Part one : parts) {
            String head = "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + inQuotes(one.name()) + "\"";
            if (one.fileName() != null) {
                head += "; filename=\"" + inQuotes(one.fileName()) + "\"\r\nContent-Type: application/octet-stream";
            }
            out.writeBytes(bytes(head + "\r\n\r\n"));
            out.writeBytes(one.content());
            out.writeBytes(bytes("\r\n"));
        }
        out.writeBytes(bytes("--" + boundary + "--\r\n"));
        return body("multipart/form-data; boundary=" + boundary, out.toByteArray());
    }

    /** The same call at another cursor of its list. */
    Call at(String cursorWire, Object cursor) {
        Call made = new Call(method, template).accept(accept);
        every.stream().filter(one -> cursor == null || !isQuery(one, cursorWire)).forEach(made.every::add);
        return made.given(cursorWire, "query", "form", true, false, cursor);
    }

    /** A query parameter as a whole number. */
    long number(String wire, long otherwise) {
        for (Given one : every) {
            if (isQuery(one, wire) && plain(one.value).matches("[0-9]{1,18}")) {
                return Long.parseLong(plain(one.value));
            }
        }
        return otherwise;
    }

    private static boolean isQuery(Given one, String wire) {
        return one.location.equals("query") && one.wire.equals(wire);
    }

    BodyPublisher publisher() {
        return body == null ? BodyPublishers.noBody() : body;
    }

    Map<String, String> headers() {
        Map<String, String> found = new LinkedHashMap<>();
        for (Given one : every) {
            if (one.location.equals("header")) {
                found.put(one.wire, joined(one.value, ",", part -> part));
            }
        }
        return found;
    }

    /** Path and query. */
    String address() {
        String path = template;
        List<String> query = new ArrayList<>();
        for (Given one : every) {
            if (one.location.equals("path")) {
                String value = escaped(joined(one.value, ",", part -> part));
                // a segment of dots would be resolved away on its path through proxies
                path = path.replace("{" + one.wire + "}", value.matches("\\.{1,2}") ? value.replace(".", "%2E") : value);
            } else if (one.location.equals("query")) {
                asked(query, one);
            }
        }
        return query.isEmpty() ? path : path + "?" + String.join("&", query);
    }

    private static void asked(List<String> query, Given one) {
        String name = escaped(one.wire);
        if (one.isJson) {
            query.add(name + "=" + escaped(Json.write(one.value)));
        } else if (one.value instanceof List<?> && one.explode) {
            ((List<?>) one.value).forEach(each -> query.add(name + "=" + escaped(plain(each))));
        } else if (one.value instanceof List<?>) {
            String joint = one.style.equals("spaceDelimited") ? "%20" : one.style.equals("pipeDelimited") ? "%7C" : ",";
            query.add(name + "=" + joined(one.value, joint, Call::escaped));
        } else if (one.value instanceof Map<?, ?> && (one.explode || one.style.equals("deepObject"))) {
            Codec.object(one.value)
                    .forEach(
                            (key, value) -> {
                                String made = one.style.equals("deepObject") ? name + "%5B" + escaped(key) + "%5D" : escaped(key);
                                query.add(made + "=" + escaped(plain(value)));
                            });
        } else {
            query.add(name + "=" + escaped(plain(one.value)));
        }
    }

    private static String joined(Object value, String joint, UnaryOperator<String> change) {
        List<String> parts = new ArrayList<>();
        for (Object one : value instanceof List<?> ? (List<?>) value : List.of(value)) {
            parts.add(change.apply(plain(one)));
        }
        return String.join(joint, parts);
    }

    /** A value as text: a string as it is, everything else as JSON. */
    static String plain(Object value) {
        return value == null ? "" : value instanceof String ? (String) value : Json.write(value);
    }

    static String escaped(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20").replace("*", "%2A").replace("%7E", "~");
    }

    private static String inQuotes(String text) {
        return text.replace("\"", "%22").replace("\r", "%0D").replace("\n", "%0A");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
