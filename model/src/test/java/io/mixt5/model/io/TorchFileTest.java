package io.mixt5.model.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.mixt5.engine.UserException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of PyTorch, good ones and such as call os.system; make_pickles.py made them. */
class TorchFileTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"types.bin", "types-legacy.bin", "types-big.bin"})
    void readsEveryTypeAndView(String name) throws IOException {
        JsonNode expected;
        try (InputStream json = getClass().getResourceAsStream("/torch/types.json")) {
            expected = new ObjectMapper().readTree(json);
        }
        try (TorchFile file = TorchFile.open(resource(name))) {
            assertEquals(expected.propertyStream().map(Map.Entry::getKey).toList(), file.names());
            for (String tensor : file.names()) {
                StoredTensor stored = file.tensor(tensor);
                List<Long> shape = new ArrayList<>();
                expected.get(tensor).get("shape").forEach(size -> shape.add(size.asLong()));
                assertEquals(shape, LongStream.of(stored.shape()).boxed().toList(), tensor);
                JsonNode values = expected.get(tensor).get("values");
                assertArrayEquals(IntStream.range(0, values.size()).mapToDouble(i -> number(values.get(i).asText()))
                        .toArray(), elements(stored, 0, stored.count()), tensor);
            }
        }
    }

    @Test
    void readsFromTheMiddleOfAStridedTensor() {
        try (TorchFile file = TorchFile.open(resource("types.bin"))) {
            for (String name : List.of("base", "offset", "transposed", "strided")) {
                StoredTensor tensor = file.tensor(name);
                double[] all = elements(tensor, 0, tensor.count());
                for (int first = 0; first < all.length; first++) {
                    assertEquals(all[first], elements(tensor, first, 1)[0], name + " element " + first);
                }
            }
        }
    }

    @Test
    void knowsWhatSharesItsData() {
        try (TorchFile file = TorchFile.open(resource("types.bin"))) {
            assertTrue(file.tensor("base").sharesDataWith(file.tensor("same")));
            assertFalse(file.tensor("base").sharesDataWith(file.tensor("offset")));
            assertFalse(file.tensor("base").sharesDataWith(file.tensor("torch.float32")));
            assertFalse(file.tensor("one-row").sharesDataWith(file.tensor("scalar-of-base")));
        }
    }

    /** Name of the file; what it is refused for. */
    @ParameterizedTest
    @CsvSource({
            "reduce-0, the opcode DICT", "reduce-1, asks for posix.system", "reduce-2, asks for posix.system",
            "reduce-3, asks for posix.system", "reduce-4, asks for posix.system", "reduce-5, asks for posix.system",
            "build, asks for posix.system", "global, asks for os.system", "stack-global, asks for os.system",
            "inst, the opcode STRING", "obj, asks for os.system", "newobj, asks for os.system",
            "eval, asks for builtins.eval", "getattr, asks for __builtin__.getattr",
            "load-from-bytes, asks for torch.storage._load_from_bytes", "extension, the opcode EXT1"})
    void runsNothing(String name, String reason) {
        Path file = resource("hostile/" + name + ".bin");
        String message = assertThrows(UserException.class, () -> TorchFile.open(file)).getMessage();
        assertTrue(message.startsWith(file + ": its pickle ") && message.contains(reason)
                && message.contains("nothing of it was run"), message);
        assertFalse(Files.exists(Path.of("mixt5-was-here")));
    }

    @Test
    void refusesProperPrefixes() throws IOException {
        for (String name : List.of("types.bin", "types-legacy.bin")) {
            byte[] whole = Files.readAllBytes(resource(name));
            Path cut = directory.resolve("cut.bin");
            for (int length = 0; length < whole.length;
                    length += length < 200 || length > whole.length - 200 ? 1 : 17) {
                Files.write(cut, Arrays.copyOf(whole, length));
                String message = assertThrows(UserException.class, () -> TorchFile.open(cut)).getMessage();
                assertTrue(message.contains(cut.toString()), message);
            }
        }
    }

    @Test
    void saysWhatAFileIsInstead() throws IOException {
        Path file = directory.resolve("x.bin");
        byte[] tar = new byte[512];
        System.arraycopy("ustar".getBytes(StandardCharsets.US_ASCII), 0, tar, 257, 5);
        Files.write(file, tar);
        assertEquals(file + " is in PyTorch's oldest format, a tar archive, which is not read here; "
                + "load it with PyTorch and save it again",
                assertThrows(UserException.class, () -> TorchFile.open(file)).getMessage());
        Files.write(file, new byte[]{(byte) 0x80, 2, 'N', '.'});
        assertEquals(file + " is a pickle, but not of PyTorch's torch.save",
                assertThrows(UserException.class, () -> TorchFile.open(file)).getMessage());
        Files.writeString(file, "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 12\n");
        assertEquals(file + " is not the file itself but Git LFS's note of where it is; fetch it with git lfs pull",
                assertThrows(UserException.class, () -> TorchFile.open(file)).getMessage());
        Files.writeString(file, "hello");
        assertEquals(file + " is no file of PyTorch: it is neither a zip archive nor a pickle",
                assertThrows(UserException.class, () -> TorchFile.open(file)).getMessage());
    }

    private static double number(String python) {
        return switch (python) {
            case "inf" -> Double.POSITIVE_INFINITY;
            case "-inf" -> Double.NEGATIVE_INFINITY;
            default -> Double.parseDouble(python);
        };
    }

    private static double[] elements(StoredTensor tensor, long first, long count) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(count * tensor.type().bytes() + 1).asSlice(0,
                    count * tensor.type().bytes());
            tensor.read(first, data);
            return LongStream.range(0, count).mapToDouble(i -> switch (tensor.type()) {
                case F64 -> data.getAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, i);
                case F32 -> data.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
                case F16 -> Float.float16ToFloat(data.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i));
                case BF16 -> Float.intBitsToFloat(data.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i) << 16);
                case I64 -> data.getAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, i);
                case I32 -> data.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i);
                case I8 -> data.get(ValueLayout.JAVA_BYTE, i);
                case U8, BOOL -> data.get(ValueLayout.JAVA_BYTE, i) & 0xff;
            }).toArray();
        }
    }

    private Path resource(String name) {
        Path copy = directory.resolve(name);
        try (InputStream in = getClass().getResourceAsStream("/torch/" + name)) {
            Files.createDirectories(copy.getParent());
            if (!Files.exists(copy)) {
                Files.copy(in, copy);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return copy;
    }
}
