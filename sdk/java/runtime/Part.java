package kaimen;

import java.nio.charset.StandardCharsets;

/** A part of a multipart body: a value, or a file. */
public record Part(String name, String fileName, byte[] content) {
    /** A value. */
    public static Part value(String name, String value) {
        return new Part(name, null, value.getBytes(StandardCharsets.UTF_8));
    }

    /** A file. */
    public static Part file(String name, String fileName, byte[] content) {
        return new Part(name, fileName, content);
    }
}
