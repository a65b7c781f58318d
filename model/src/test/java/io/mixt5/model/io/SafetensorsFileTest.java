package io.mixt5.model.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.UserException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsFileTest {
    private static final String A = "'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}";
    private static final String B = "'b':{'dtype':'I8','shape':[3],'data_offsets':[8,11]}";

    @TempDir
    private Path directory;
    private Path file;

    @BeforeEach
    void nameFile() {
        file = directory.resolve("model.safetensors");
    }

    @Test
    void readsTensorsInAnyOrderAndMetadata() throws IOException {
        write("{" + B + ",'__metadata__':{'format':'pt','k':'\u00e9'}," + A + "}  ", 11);
        SafetensorsTensor kept;
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            assertEquals(List.of("b", "a"), tensors.names());
            assertEquals(Map.of("format", "pt", "k", "\u00e9"), tensors.metadata());
            assertTrue(tensors.has("a"));
            assertFalse(tensors.has("__metadata__"));
            SafetensorsTensor a = tensors.info("a");
            assertEquals(SafetensorsType.F32, a.type());
            assertArrayEquals(new long[]{2}, a.shape());
            assertArrayEquals(new byte[]{0, 1, 2, 3, 4, 5, 6, 7}, a.data().toArray(ValueLayout.JAVA_BYTE));
            assertArrayEquals(new byte[]{8, 9, 10},
                    tensors.info("b").data().toArray(ValueLayout.JAVA_BYTE));
            assertTrue(a.data().isReadOnly());
            kept = a;
        }
        assertThrows(IllegalStateException.class, () -> kept.data().get(ValueLayout.JAVA_BYTE, 0));
    }

    @Test
    void readsScalarsEmptyTensorsAndNoTensors() throws IOException {
        write("{'e':{'dtype':'F64','shape':[0,5],'data_offsets':[0,0]},"
                + "'s':{'dtype':'F16','shape':[],'data_offsets':[0,2]},"
                + "'t':{'dtype':'U8','shape':[7,0],'data_offsets':[2,2]}}", 2);
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            assertEquals(0, tensors.info("e").data().byteSize());
            assertEquals(2, tensors.info("s").data().byteSize());
            assertEquals(0, tensors.info("s").shape().length);
            assertEquals(0, tensors.info("t").data().byteSize());
        }
        write("{}", 0);
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            assertEquals(List.of(), tensors.names());
            assertEquals(Map.of(), tensors.metadata());
        }
    }

    @Test
    void namesTheTensorThatIsMissingOrOfAnotherShape() throws IOException {
        write("{" + A + "}", 8);
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            assertEquals("a", tensors.require("a", 2).name());
            assertEquals("tensor 'a' in " + file + " has the shape [2], but the model needs [2, 1]",
                    assertThrows(UserException.class, () -> tensors.require("a", 2, 1)).getMessage());
            assertEquals("there is no tensor 'encoder.x' in " + file,
                    assertThrows(UserException.class, () -> tensors.info("encoder.x")).getMessage());
            assertEquals("there is no tensor 'A' in " + file + ", the nearest is 'a'",
                    assertThrows(UserException.class, () -> tensors.require("A", 2)).getMessage());
        }
    }

    /** Header, with @a and @b for the entries above; bytes of data; message. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            // Ranges that lie.
            "{@a} | 7 | tensor 'a' in FILE ends at byte 8 of the data, of which there are 7, "
                    + "so that the file was cut or its header lies",
            "{@a,@b} | 8 | tensor 'b' in FILE ends at byte 11 of the data, of which there are 8, "
                    + "so that the file was cut or its header lies",
            "{@a} | 9 | FILE has 9 bytes of data, but its tensors end at byte 8",
            "{} | 3 | FILE has 3 bytes of data, but its tensors end at byte 0",
            "{@a,'b':{'dtype':'I8','shape':[3],'data_offsets':[7,10]}} | 10 "
                    + "| tensor 'b' in FILE overlaps the tensor before it at byte 7",
            "{@a,'b':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | 8 "
                    + "| tensor 'b' in FILE overlaps the tensor before it at byte 0",
            "{@a,'b':{'dtype':'I8','shape':[3],'data_offsets':[9,12]}} | 12 "
                    + "| tensor 'b' in FILE leaves a hole before it, from byte 8 to 9",
            "{'b':{'dtype':'I8','shape':[3],'data_offsets':[1,4]}} | 4 "
                    + "| tensor 'b' in FILE leaves a hole before it, from byte 0 to 1",
            "{'a':{'dtype':'F32','shape':[3],'data_offsets':[0,8]}} | 8 "
                    + "| tensor 'a' in FILE takes 12 bytes as F32 of shape [3], but its data_offsets give it 8",
            "{'a':{'dtype':'F32','shape':[],'data_offsets':[0,8]}} | 8 "
                    + "| tensor 'a' in FILE takes 4 bytes as F32 of shape [], but its data_offsets give it 8",
            "{'a':{'dtype':'F32','shape':[2],'data_offsets':[8,0]}} | 8 "
                    + "| tensor 'a' in FILE has data_offsets [8, 0], not a start and an end",
            "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,4,8]}} | 8 "
                    + "| tensor 'a' in FILE has data_offsets [0, 4, 8], not a start and an end",
            "{'a':{'dtype':'F32','shape':[2],'data_offsets':[]}} | 8 "
                    + "| tensor 'a' in FILE has data_offsets [], not a start and an end",
            // Numbers that do not fit.
            "{'a':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}} | 8 | tensor 'a' in FILE has the number -2 "
                    + "in its shape, where a whole number from 0 to 2^63 - 1 must be",
            "{'a':{'dtype':'F32','shape':[2],'data_offsets':[-8,0]}} | 8 | tensor 'a' in FILE has the number -8 "
                    + "in its data_offsets, where a whole number from 0 to 2^63 - 1 must be",
            "{'a':{'dtype':'F32','shape':[2.0],'data_offsets':[0,8]}} | 8 | tensor 'a' in FILE has the number 2.0 "
                    + "in its shape, where a whole number from 0 to 2^63 - 1 must be",
            "{'a':{'dtype':'F32','shape':['2'],'data_offsets':[0,8]}} | 8 | tensor 'a' in FILE has the text \"2\" "
                    + "in its shape, where a whole number from 0 to 2^63 - 1 must be",
            "{'a':{'dtype':'F32','shape':[[2]],'data_offsets':[0,8]}} | 8 | tensor 'a' in FILE has a list "
                    + "in its shape, where a whole number from 0 to 2^63 - 1 must be",
            "{'a':{'dtype':'F32','shape':[9223372036854775808],'data_offsets':[0,8]}} | 8 | tensor 'a' in FILE has "
                    + "the number 9223372036854775808 in its shape, where a whole number from 0 to 2^63 - 1 must be",
            "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,18446744073709551616]}} | 8 | tensor 'a' in FILE has "
                    + "the number 18446744073709551616 in its data_offsets, "
                    + "where a whole number from 0 to 2^63 - 1 must be",
            "{'a':{'dtype':'F32','shape':[2305843009213693952],'data_offsets':[0,8]}} | 8 "
                    + "| tensor 'a' in FILE has the shape [2305843009213693952], more than 2^63 bytes",
            "{'a':{'dtype':'F32','shape':[4294967296,4294967296],'data_offsets':[0,0]}} | 8 "
                    + "| tensor 'a' in FILE has the shape [4294967296, 4294967296], more than 2^63 bytes",
            "{'a':{'dtype':'I8','shape':[9223372036854775807],'data_offsets':[0,9223372036854775807]}} | 8 "
                    + "| tensor 'a' in FILE ends at byte 9223372036854775807 of the data, of which there are 8, "
                    + "so that the file was cut or its header lies",
            // Entries of another form.
            "{'a':{'dtype':'F8_E4M3','shape':[2],'data_offsets':[0,2]}} | 2 | tensor 'a' in FILE has the dtype "
                    + "'F8_E4M3', which is none of [F64, F32, F16, BF16, I64, I32, I8, U8, BOOL]",
            "{'a':{'dtype':'f32','shape':[2],'data_offsets':[0,8]}} | 8 | tensor 'a' in FILE has the dtype "
                    + "'f32', which is none of [F64, F32, F16, BF16, I64, I32, I8, U8, BOOL]",
            "{'a':{'dtype':3,'shape':[2],'data_offsets':[0,8]}} | 8 | tensor 'a' in FILE has a dtype that is not a "
                    + "text",
            "{'a':{'dtype':'F32','shape':2,'data_offsets':[0,8]}} | 8 | tensor 'a' in FILE has a shape that is not a "
                    + "list",
            "{'a':{'dtype':'F32','shape':[2],'data_offsets':{}}} | 8 "
                    + "| tensor 'a' in FILE has a data_offsets that is not a list",
            "{'a':{'shape':[2],'data_offsets':[0,8]}} | 8 | tensor 'a' in FILE has no dtype",
            "{'a':{'dtype':'F32','data_offsets':[0,8]}} | 8 | tensor 'a' in FILE has no shape",
            "{'a':{'dtype':'F32','shape':[2]}} | 8 | tensor 'a' in FILE has no data_offsets",
            "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8],'strides':[1]}} | 8 "
                    + "| tensor 'a' in FILE has an unknown key 'strides'",
            "{'a':{'dtype':'F32','dtype':'F32','shape':[2],'data_offsets':[0,8]}} | 8 | tensor 'a' in FILE has two "
                    + "dtypes",
            "{'a':{'dtype':'F32','shape':[2],'shape':[2],'data_offsets':[0,8]}} | 8 | tensor 'a' in FILE has two "
                    + "shapes",
            "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8],'data_offsets':[0,8]}} | 8 "
                    + "| tensor 'a' in FILE has two data_offsets",
            "{'a':[1]} | 8 | tensor 'a' in FILE must be described by an object",
            "{'a':null} | 8 | tensor 'a' in FILE must be described by an object",
            "{@a,@a} | 8 | tensor 'a' is twice in FILE",
            // Metadata.
            "{'__metadata__':{'a':1}} | 0 | __metadata__ in FILE must hold texts, not so 'a'",
            "{'__metadata__':{'a':'x','a':'x'}} | 0 | __metadata__ in FILE has the key 'a' twice",
            "{'__metadata__':{},'__metadata__':{}} | 0 | __metadata__ is twice in FILE",
            "{'__metadata__':'pt'} | 0 | __metadata__ in FILE must be an object",
            // Not one JSON object.
            "{@a}{} | 8 | the header of FILE goes on after the end of its JSON",
            "[@a] | 8 | FILE is no safetensors file: its header does not start with '{'",
            "` {@a}` | 8 | FILE is no safetensors file: its header does not start with '{'"})
    void refusesAHeaderThatLies(String header, int dataBytes, String message) throws IOException {
        write(header.replace("@a", A).replace("@b", B), dataBytes);
        assertMessage(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{", "{'a'", "{'a':{", "{'a':{'dtype':'F32'", "{'a':{'dtype':'F3"})
    void saysThatTheHeaderIsCut(String header) throws IOException {
        write(header, 0);
        assertMessageStarts("the header of " + file + " ends in the middle of its JSON, it was cut");
    }

    @Test
    void refusesAHeaderThatIsNotJsonOrNotUtf8() throws IOException {
        write("{nonsense}", 0);
        assertMessageStarts("the header of " + file + " is not valid JSON: ");
        writeRaw(3, new byte[]{'{', '"', (byte) 0xFF});
        assertMessage("the header of FILE is not valid UTF-8 at byte 2");
    }

    @Test
    void refusesALengthThatLies() throws IOException {
        Files.write(file, new byte[0]);
        assertMessage("FILE is no safetensors file: it has only 0 bytes");
        Files.write(file, new byte[7]);
        assertMessage("FILE is no safetensors file: it has only 7 bytes");
        writeRaw(0, new byte[0]);
        assertMessage("FILE is no safetensors file: its header does not start with '{'");
        writeRaw(3, new byte[]{'{', '}'});
        assertMessage("FILE ends in its header of 3 bytes, it was cut");
        writeRaw(100_000_000, new byte[]{'{', '}'});
        assertMessage("FILE ends in its header of 100000000 bytes, it was cut");
        writeRaw(100_000_001, new byte[]{'{', '}'});
        assertMessage("FILE is no safetensors file: it gives 100000001 bytes for its header, "
                + "and at most 100000000 are allowed");
        writeRaw(-1, new byte[]{'{', '}'});
        assertMessage("FILE is no safetensors file: it gives 18446744073709551615 bytes for its header, "
                + "and at most 100000000 are allowed");
        writeRaw(Long.MIN_VALUE, new byte[]{'{', '}'});
        assertMessage("FILE is no safetensors file: it gives 9223372036854775808 bytes for its header, "
                + "and at most 100000000 are allowed");
    }

    @Test
    void refusesAMissingFileAndADirectory() {
        assertMessage("there is no file FILE");
        assertEquals(directory + " is a directory, but a file is needed here",
                assertThrows(UserException.class, () -> SafetensorsFile.open(directory)).getMessage());
    }

    @Test
    void refusesEveryProperPrefixOfAFile() throws IOException {
        write("{'__metadata__':{'format':'pt'}," + A + "," + B + "} ", 11);
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            String message = assertThrows(UserException.class, () -> SafetensorsFile.open(file)).getMessage();
            assertTrue(message.contains(file.toString()), message);
        }
    }

    /** Whatever one byte becomes, the file opens and its tensors can be read, or the error is a sentence. */
    @Test
    void survivesAnyChangedByte() throws IOException {
        write("{'__metadata__':{'format':'pt'}," + A + "," + B + "}", 11);
        byte[] whole = Files.readAllBytes(file);
        Random random = new Random(3);
        int refused = 0;
        for (int round = 0; round < 500; round++) {
            byte[] changed = whole.clone();
            changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
            Files.write(file, changed);
            try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
                for (String name : tensors.names()) {
                    MemorySegment data = tensors.info(name).data();
                    assertEquals(data.byteSize(), data.toArray(ValueLayout.JAVA_BYTE).length);
                }
            } catch (UserException e) {
                assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
                refused++;
            }
        }
        assertTrue(refused > 150, "refused " + refused);
    }

    @Test
    void readsAHuggingFaceModel() {
        try (SafetensorsFile tensors = SafetensorsFile
                .open(SharedFiles.require("data/golden/tiny-t5-v1_1/model.safetensors"))) {
            assertEquals(Map.of("format", "pt"), tensors.metadata());
            SafetensorsTensor shared = tensors.info("shared.weight");
            assertEquals(SafetensorsType.F32, shared.type());
            assertEquals(2, shared.shape().length);
            assertEquals(SafetensorsType.F32.bytes(shared.shape()), shared.data().byteSize());
            assertTrue(tensors.has("decoder.block.1.layer.2.DenseReluDense.wi_1.weight"));
        }
    }

    /** {@code header} with ' for ", and {@code dataBytes} bytes 0, 1, 2, ... */
    private void write(String header, int dataBytes) throws IOException {
        byte[] text = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        ByteBuffer rest = ByteBuffer.allocate(text.length + dataBytes).put(text);
        for (int i = 0; i < dataBytes; i++) {
            rest.put((byte) i);
        }
        writeRaw(text.length, rest.array());
    }

    private void writeRaw(long headerLength, byte[] rest) throws IOException {
        Files.write(file, ByteBuffer.allocate(Long.BYTES + rest.length).order(ByteOrder.LITTLE_ENDIAN)
                .putLong(headerLength).put(rest).array());
    }

    private void assertMessage(String message) {
        assertEquals(message.replace("FILE", file.toString()),
                assertThrows(UserException.class, () -> SafetensorsFile.open(file)).getMessage());
    }

    private void assertMessageStarts(String start) {
        String message = assertThrows(UserException.class, () -> SafetensorsFile.open(file)).getMessage();
        assertTrue(message.startsWith(start), message);
    }
}
