package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.Device;
import io.mixt5.engine.UserException;
import io.mixt5.model.tokenizer.T5Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntFunction;
import java.util.zip.CRC32;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Files of four megabytes that are all structure and no data, made to take as much memory for each byte as the format
 * allows: a JVM with a heap of twice that and 48 MB beside refuses each with a sentence.
 */
class HostileSizesTest {
    private static final int BYTES = 4_000_000;

    @TempDir
    private Path directory;

    @Test
    void noneFillsTheHeap() throws Exception {
        for (String piece : List.of("}", "]", ")", "(", "N", "K\1q\0", "U\1a", "}q\0", "]q\0h\0", "\u0085")) {
            byte[] pickle = repeated("N" + piece, i -> piece);
            Files.write(model("pickle-" + piece.codePointAt(0) + piece.length()).resolve("pytorch_model.bin"),
                    zip(pickle));
            Files.write(model("legacy-" + piece.codePointAt(0) + piece.length()).resolve("pytorch_model.bin"),
                    concat("\u0080\2\u008a\12\154\374\234\106\371\040\152\250\120\31.\u0080\2M\351\3.", pickle));
        }
        Files.write(model("zip-entries").resolve("pytorch_model.bin"), manyEntries());
        safetensors("tensors", i -> ",\"" + i + "\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}");
        safetensors("sizes", i -> i == 0 ? ",\"b\":{\"shape\":[0" : ",0");
        safetensors("texts", i -> i == 0 ? ",\"__metadata__\":{\"\":\"\"" : ",\"" + i + "\":\"\"");
        safetensors("depth", i -> i == 0 ? ",\"b\":" : "[");
        json("model.safetensors.index.json", "{\"weight_map\":{\"a\":\"x\"", i -> ",\"" + i + "\":\"x\"");
        json("model.safetensors.index.json", "{\"metadata\":{\"a\":0", i -> ",\"" + i + "\":0");
        json("model.safetensors.index.json", "{\"metadata\":", i -> "[");
        json("config.json", "{\"a\":[0", i -> ",[]");
        json("config.json", "{\"a\":[0", i -> ",{}");
        json("config.json", "{\"a\":0", i -> ",\"" + i + "\":0");
        json("config.json", "{\"a\":", i -> "[");
        json("config.json", "{\"a\":\"", i -> "\u20ac");
        try (OutputStream bomb = new GZIPOutputStream(Files.newOutputStream(model("bomb").resolve("config.json")))) {
            bomb.write("{\"a\":[\"".getBytes(StandardCharsets.US_ASCII));
            for (int i = 0; i < 100; i++) {
                bomb.write("x".repeat(10_000_000).getBytes(StandardCharsets.US_ASCII));
                bomb.write("\",\"".getBytes(StandardCharsets.US_ASCII));
            }
        }
        Files.write(model("spiece").resolve("spiece.model"), pieces());
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + (2 * BYTES / 1_000_000 + 48) + "m", "-XX:+UseSerialGC", "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                HostileSizesTest.class.getName(), directory.toString()).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        assertEquals(Files.list(directory).count(), output.lines().filter(line -> line.startsWith("refused: ")).count(),
                output);
    }

    /** Tries every directory in the one given. */
    public static void main(String[] args) throws IOException {
        for (Path model : Files.list(Path.of(args[0])).sorted().toList()) {
            try {
                if (Files.exists(model.resolve("spiece.model"))) {
                    T5Tokenizer.load(model).close();
                } else {
                    T5Model.load(model, Device.of("reference")).close();
                }
                System.out.println("read: " + model);
            } catch (UserException e) {
                System.out.println("refused: " + e.getMessage().lines().findFirst().orElseThrow());
            } catch (Throwable e) {
                throw new IllegalStateException("at " + model, e);
            }
        }
    }

    private Path model(String name) throws IOException {
        Path model = directory.resolve(name);
        Files.createDirectories(model);
        Files.writeString(model.resolve("config.json"), "{}");
        return model;
    }

    private void json(String name, String start, IntFunction<String> pieces) throws IOException {
        long number = Files.list(directory).count();
        Files.write(model("json-" + number).resolve(name), repeated(start, pieces));
    }

    private void safetensors(String name, IntFunction<String> pieces) throws IOException {
        byte[] header = repeated("{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}", pieces);
        Files.write(model(name).resolve("model.safetensors"), ByteBuffer.allocate(Long.BYTES + header.length)
                .order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).put(header).array());
    }

    private static byte[] repeated(String start, IntFunction<String> pieces) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(BYTES + 100);
        bytes.writeBytes(latin(start));
        for (int i = 0; bytes.size() < BYTES; i++) {
            String piece = pieces.apply(i);
            bytes.writeBytes(piece.equals("\u20ac") ? piece.getBytes(StandardCharsets.UTF_8) : latin(piece));
        }
        return bytes.toByteArray();
    }

    private static byte[] concat(String start, byte[] rest) {
        return ByteBuffer.allocate(start.length() + rest.length).put(latin(start)).put(rest).array();
    }

    private static byte[] zip(byte[] pickle) throws IOException {
        ByteArrayOutputStream archive = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(archive)) {
            add(zip, "archive/data.pkl", pickle);
        }
        return archive.toByteArray();
    }

    private static byte[] manyEntries() throws IOException {
        ByteArrayOutputStream archive = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(archive)) {
            for (int i = 0; archive.size() < BYTES / 2; i++) {
                add(zip, Integer.toString(i), new byte[0]);
            }
        }
        return archive.toByteArray();
    }

    private static void add(ZipOutputStream zip, String name, byte[] content) throws IOException {
        CRC32 sum = new CRC32();
        sum.update(content);
        ZipEntry entry = new ZipEntry(name);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCrc(sum.getValue());
        zip.putNextEntry(entry);
        zip.write(content);
    }

    /** A model of SentencePiece of as many pieces as fit, each of field 1 with a text of up to seven bytes. */
    private static byte[] pieces() {
        return repeated("", i -> {
            String text = Integer.toString(i, 36);
            return "\12" + (char) (text.length() + 2) + "\12" + (char) text.length() + text;
        });
    }

    private static byte[] latin(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
