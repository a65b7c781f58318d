package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.mixt5.engine.Device;
import io.mixt5.engine.HostMemory;
import io.mixt5.engine.Kernel;
import io.mixt5.model.tokenizer.SentencePieceModel;
import io.mixt5.model.tokenizer.SentencePieceModel.Piece;
import io.mixt5.model.tokenizer.SentencePieceModel.Type;
import io.mixt5.model.tokenizer.T5Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged and hostile files of every kind that a model's directory has. What a reader takes is the heap that its thread
 * allocates plus the most that tensors held at a time.
 */
class ReaderFuzzTest {
    /** Memory that counts, and no kernels: nothing is computed here. */
    private static final class Counting extends HostMemory {
        private long held;
        private long most;

        /** The most bytes held at a time since the last call. */
        long most() {
            long result = most;
            most = held;
            return result;
        }

        @Override
        public String name() {
            return "counting";
        }

        @Override
        public String unavailable() {
            return null;
        }

        @Override
        public <K extends Kernel> K kernel(Class<K> type) {
            throw new UnsupportedOperationException(type.getName());
        }

        @Override
        public long allocate(long bytes) {
            held += bytes;
            most = Math.max(most, held);
            return super.allocate(bytes);
        }

        @Override
        public void free(long address, long bytes) {
            held -= bytes;
            super.free(address, bytes);
        }
    }

    @TempDir
    private Path temporary;
    private final Counting memory = new Counting();
    private final Device device = Device.uncached(memory);

    @Test
    void zipArchives() throws Exception {
        fuzzModel("pytorch zip", "tiny-switch-tied", "pytorch_model.bin",
                resource("torch/tiny-switch-tied/pytorch_model.bin"));
    }

    @Test
    void legacyFiles() throws Exception {
        fuzzModel("pytorch legacy", "tiny-t5-v1_0", "pytorch_model.bin",
                resource("torch/tiny-t5-v1_0/pytorch_model.bin"));
    }

    @Test
    void safetensors() throws Exception {
        fuzzModel("safetensors", "tiny-switch-untied", "model.safetensors",
                resource("golden/tiny-switch-untied/model.safetensors"));
    }

    @Test
    void indices() throws Exception {
        for (String shard : List.of("00001", "00002", "00003")) {
            String name = "model-" + shard + "-of-00003.safetensors";
            Files.createDirectories(temporary.resolve("tiny-switch-untied"));
            Files.write(temporary.resolve("tiny-switch-untied").resolve(name),
                    resource("torch/tiny-switch-untied/" + name));
        }
        fuzzModel("index", "tiny-switch-untied", "model.safetensors.index.json",
                resource("torch/tiny-switch-untied/model.safetensors.index.json"));
    }

    @Test
    void configurations() throws Exception {
        Path directory = ModelGoldens.ofProject("tiny-moe-top1", temporary).directory();
        Fuzz.run("config.json", List.of(Files.readAllBytes(directory.resolve("config.json")),
                resource("golden/tiny-t5-v1_1/config.json"), resource("golden/tiny-switch-tied/config.json")),
                directory.resolve("config.json"), Files.size(directory.resolve("model.safetensors")),
                file -> load(directory), memory::most);
    }

    /** Archives of which only the pickle changes, so that every change meets an opcode. */
    @Test
    void pickles() throws Exception {
        Path directory = ModelGoldens.ofProject("tiny-switch-tied", temporary).directory();
        Files.delete(directory.resolve("model.safetensors"));
        Path archive = directory.resolve("pytorch_model.bin");
        Files.write(archive, resource("torch/tiny-switch-tied/pytorch_model.bin"));
        long bytes = Files.size(archive);
        Map<String, byte[]> entries = entries(archive);
        String pickle = entries.keySet().stream().filter(name -> name.endsWith("/data.pkl")).findFirst().orElseThrow();
        Fuzz.run("pickle", List.of(entries.get(pickle)), temporary.resolve("data.pkl"), bytes, changed -> {
            entries.put(pickle, Files.readAllBytes(changed));
            writeStored(archive, entries);
            load(directory);
        }, memory::most);
    }

    private static Map<String, byte[]> entries(Path archive) throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        try (ZipFile zip = new ZipFile(archive.toFile())) {
            for (ZipEntry entry : zip.stream().toList()) {
                entries.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
            }
        }
        return entries;
    }

    private static void writeStored(Path archive, Map<String, byte[]> entries) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            zip.setMethod(ZipOutputStream.STORED);
            for (Map.Entry<String, byte[]> content : entries.entrySet()) {
                CRC32 sum = new CRC32();
                sum.update(content.getValue());
                ZipEntry entry = new ZipEntry(content.getKey());
                entry.setSize(content.getValue().length);
                entry.setCrc(sum.getValue());
                zip.putNextEntry(entry);
                zip.write(content.getValue());
            }
        }
        Files.delete(archive); // Some file systems write to the disk what replaces the content of a file.
        Files.write(archive, bytes.toByteArray());
    }

    @Test
    void sentencePieceModels() throws Exception {
        List<Piece> pieces = new ArrayList<>(List.of(new Piece("<pad>", 0, Type.CONTROL),
                new Piece("</s>", 0, Type.CONTROL), new Piece("<unk>", 0, Type.UNKNOWN)));
        IntStream.rangeClosed('a', 'z').forEach(c -> pieces.add(new Piece(Character.toString(c), -5, Type.NORMAL)));
        IntStream.rangeClosed('a', 'z').forEach(c -> pieces.add(
                new Piece(SentencePieceModel.SPACE + Character.toString(c) + "e", -3 - c % 7, Type.NORMAL)));
        Fuzz.run("spiece.model", List.of(SentencePieceModel.unigram(pieces).toBytes(),
                SentencePieceModel.unigram(pieces.subList(0, 20)).toBytes()), temporary.resolve("spiece.model"), 0,
                file -> {
                    try (T5Tokenizer tokenizer = T5Tokenizer.load(file)) {
                        int[] ids = tokenizer.encodeWithEnd("he  said: \u00e9\u3000<extra_id_0> \ud83d\ude00 "
                                + "a".repeat(100));
                        tokenizer.decode(ids, true);
                    }
                }, () -> 0);
    }

    private void fuzzModel(String kind, String model, String name, byte[] seed) throws Exception {
        Path directory = ModelGoldens.ofProject(model, temporary).directory();
        Files.delete(directory.resolve("model.safetensors"));
        long companions = 0;
        for (Path other : Files.list(directory).filter(p -> p.toString().endsWith(".safetensors")).toList()) {
            companions += other.endsWith("golden.safetensors") ? 0 : Files.size(other);
        }
        Fuzz.run(kind, List.of(seed), directory.resolve(name), companions, file -> load(directory),
                memory::most);
    }

    private void load(Path directory) {
        T5Model.load(directory, device).close();
    }

    private byte[] resource(String name) throws IOException {
        try (InputStream in = getClass().getResourceAsStream("/" + name)) {
            return in.readAllBytes();
        }
    }

    @AfterEach
    void nothingRanAndNothingIsLeft() {
        assertFalse(Files.exists(Path.of("mixt5-was-here")));
        assertEquals(0, device.liveTensors());
    }
}
