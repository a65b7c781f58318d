package io.mixt5.model.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mixt5.model.io.StrictUtf8Reader.InvalidUtf8Exception;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StrictUtf8ReaderTest {
    @Test
    void readsWhatWasWritten() throws IOException {
        Random random = new Random(1);
        for (int round = 0; round < 200; round++) {
            int length = random.nextInt(round < 190 ? 50 : 60_000);
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < length; i++) {
                text.appendCodePoint(codePoint(random));
            }
            byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
            assertEquals(text.toString(), read(new ByteArrayInputStream(bytes)));
            assertEquals(text.toString(), read(new Trickle(bytes)));
        }
    }

    @Test
    void readsOneCharacterAtATime() throws IOException {
        String text = "a\u00e9\u20ac\ud83d\ude00";
        StringBuilder found = new StringBuilder();
        try (StrictUtf8Reader reader = reader(text.getBytes(StandardCharsets.UTF_8))) {
            for (int c = reader.read(); c >= 0; c = reader.read()) {
                found.append((char) c);
            }
            assertEquals(-1, reader.read());
        }
        assertEquals(text, found.toString());
    }

    @Test
    void skipsAByteOrderMarkOnlyAtTheStart() throws IOException {
        byte[] bytes = "\ufeffa\ufeffb".getBytes(StandardCharsets.UTF_8);
        assertEquals("a\ufeffb", read(new ByteArrayInputStream(bytes)));
        assertEquals("a\ufeffb", read(new Trickle(bytes)));
        assertEquals("", read(new ByteArrayInputStream("\ufeff".getBytes(StandardCharsets.UTF_8))));
        assertEquals("", read(new ByteArrayInputStream(new byte[0])));
    }

    @ParameterizedTest
    @CsvSource({"80", "C0AF", "C1BF", "E08080", "EDA080", "EDBFBF", "F0808080", "F4908080", "F5808080", "FF", "FE",
            "C341", "E28241", "F09F9841"})
    void namesTheFirstBadByte(String hex) {
        for (int before : new int[]{0, 1, 7, 16_382, 16_383, 16_384, 50_000}) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            bytes.writeBytes("x".repeat(before).getBytes(StandardCharsets.UTF_8));
            bytes.writeBytes(HexFormat.of().parseHex(hex));
            bytes.writeBytes("yz".getBytes(StandardCharsets.UTF_8));
            InvalidUtf8Exception e = assertThrows(InvalidUtf8Exception.class,
                    () -> read(new ByteArrayInputStream(bytes.toByteArray())));
            assertEquals("is not valid UTF-8 at byte " + before, e.getMessage());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"C3", "E2", "E282", "F0", "F09F", "F09F98"})
    void tellsACutCharacterFromABadOne(String hex) {
        byte[] bytes = HexFormat.of().parseHex("6162" + hex);
        InvalidUtf8Exception e = assertThrows(InvalidUtf8Exception.class, () -> read(new Trickle(bytes)));
        assertEquals("ends in the middle of a UTF-8 character, it was cut", e.getMessage());
    }

    private static int codePoint(Random random) {
        int[] limits = {0x80, 0x800, 0xD800, 0x110000};
        int point = random.nextInt(limits[random.nextInt(limits.length)]);
        return point >= 0xD800 && point < 0xE000 || point == 0xFEFF ? 'x' : point;
    }

    private static StrictUtf8Reader reader(byte[] bytes) {
        return new StrictUtf8Reader(new ByteArrayInputStream(bytes));
    }

    private static String read(InputStream in) throws IOException {
        StringWriter text = new StringWriter();
        try (StrictUtf8Reader reader = new StrictUtf8Reader(in)) {
            reader.transferTo(text);
        }
        return text.toString();
    }

    /** Gives one byte a call, as a slow pipe may. */
    private static final class Trickle extends ByteArrayInputStream {
        Trickle(byte[] bytes) {
            super(bytes);
        }

        @Override
        public synchronized int read(byte[] target, int from, int length) {
            return super.read(target, from, Math.min(1, length));
        }
    }
}
