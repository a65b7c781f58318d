package io.mixt5.train.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChecksumsTest {
    @TempDir
    Path directory;

    @BeforeEach
    void writeSums() throws IOException {
        Files.writeString(directory.resolve("a.txt"), "one");
        Files.write(directory.resolve("empty"), new byte[0]);
        Files.write(Files.createDirectory(directory.resolve("below")).resolve("large"), new byte[3 << 20]);
        Checksums.write(directory);
    }

    @Test
    void coversEveryFile() throws IOException {
        assertNull(Checksums.damage(directory));
        assertEquals(4, Files.readAllLines(directory.resolve("SHA256SUMS")).size());
    }

    @Test
    void namesAFileOfWhichOneBitIsAnother() throws IOException {
        Path large = directory.resolve("below/large");
        byte[] content = Files.readAllBytes(large);
        content[content.length - 1] ^= 1;
        Files.write(large, content);
        assertEquals("below/large is not as it was written", Checksums.damage(directory));
    }

    @Test
    void namesAFileThatIsMissingShorterOrLonger() throws IOException {
        Files.writeString(directory.resolve("empty"), "x");
        assertEquals("empty is not as it was written", Checksums.damage(directory));
        Files.writeString(directory.resolve("a.txt"), "on");
        assertEquals("a.txt is not as it was written", Checksums.damage(directory));
        Files.delete(directory.resolve("a.txt"));
        assertEquals("a.txt is missing", Checksums.damage(directory));
    }

    /** Whatever becomes of the sums themselves is seen, a whole line that is gone included. */
    @Test
    void protectsItself() throws IOException {
        Path sums = directory.resolve("SHA256SUMS");
        String text = Files.readString(sums);
        for (int length = 0; length < text.length(); length++) {
            Files.writeString(sums, text.substring(0, length));
            assertEquals("SHA256SUMS is not as it was written", Checksums.damage(directory), "cut at " + length);
        }
        Files.writeString(sums, text.substring(text.indexOf('\n') + 1));
        assertEquals("SHA256SUMS is not as it was written", Checksums.damage(directory));
        Files.write(sums, new byte[]{(byte) 0xff, 0});
        assertEquals("SHA256SUMS is not text", Checksums.damage(directory));
        Files.delete(sums);
        assertEquals("it has no SHA256SUMS", Checksums.damage(directory));
    }

    @Test
    void isReadBySha256sum() throws IOException, InterruptedException {
        Process process;
        try {
            process = new ProcessBuilder("sha256sum", "--check", "--strict", "SHA256SUMS").directory(directory.toFile())
                    .redirectErrorStream(true).start();
        } catch (IOException e) {
            System.out.println("NOT TESTED: that sha256sum reads our sums, as there is no sha256sum here");
            return;
        }
        String printed = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertEquals(true, process.waitFor(1, TimeUnit.MINUTES));
        assertEquals(0, process.exitValue(), printed);
    }
}
