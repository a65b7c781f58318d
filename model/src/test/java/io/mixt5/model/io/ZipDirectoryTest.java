package io.mixt5.model.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mixt5.engine.UserException;
import io.mixt5.model.io.ZipDirectory.Entry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ZipDirectoryTest {
    private static final int LISTED_BYTES = 46;

    @TempDir
    private Path directory;
    private Path file;

    @BeforeEach
    void nameFile() {
        file = directory.resolve("x.bin");
    }

    @Test
    void findsStoredEntriesBehindAComment() throws IOException {
        Files.write(file, zip(ZipEntry.STORED, "a/b", "a/c"));
        try (DataFile data = DataFile.open(file)) {
            ZipDirectory zip = ZipDirectory.read(data);
            assertEquals(Set.of("a/b", "a/c"), zip.names());
            Entry entry = zip.require("a/c");
            assertArrayEquals(content("a/c"), data.read(entry.start(), (int) entry.bytes()).array());
            assertEquals(file + ": its zip archive has no entry a/d",
                    assertThrows(UserException.class, () -> zip.require("a/d")).getMessage());
        }
    }

    /** A file of zeros that deflate packs a thousand times smaller. */
    @Test
    void refusesToUnpack() throws IOException {
        ByteArrayOutputStream bomb = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bomb)) {
            zip.putNextEntry(new ZipEntry("archive/data.pkl"));
            zip.write(new byte[10_000_000]);
        }
        Files.write(file, bomb.toByteArray());
        assertMessage("has a compressed entry archive/data.pkl, which PyTorch never writes; "
                + "load the weights with PyTorch and save them again");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../x", "a/../../x", "/etc/passwd", "..", "a\\x", "c:x", "a/.."})
    void refusesNamesThatLeadOut(String name) throws IOException {
        Files.write(file, zip(ZipEntry.STORED, "archive/data.pkl", name));
        assertMessage("has an entry '" + name + "' that leads out of a directory");
    }

    @Test
    void refusesEntriesThatOverlap() throws IOException {
        ByteBuffer zip = ByteBuffer.wrap(zip(ZipEntry.STORED, "a", "b")).order(ByteOrder.LITTLE_ENDIAN);
        int listed = directoryOf(zip);
        zip.putInt(listed + LISTED_BYTES + 1 + 42, 0);
        Files.write(file, zip.array());
        assertMessage("has an entry b that overlaps another or lies outside");
    }

    @Test
    void refusesSizesThatLie() throws IOException {
        byte[] good = zip(ZipEntry.STORED, "a", "b");
        for (int size : new int[]{1000, Integer.MAX_VALUE, -2}) {
            ByteBuffer zip = ByteBuffer.wrap(good.clone()).order(ByteOrder.LITTLE_ENDIAN);
            int listed = directoryOf(zip) + LISTED_BYTES + 1;
            zip.putInt(listed + 20, size).putInt(listed + 24, size);
            Files.write(file, zip.array());
            assertMessage("has an entry b that ends outside, so that the file was cut");
        }
        ByteBuffer zip = ByteBuffer.wrap(good.clone()).order(ByteOrder.LITTLE_ENDIAN);
        zip.putInt(directoryOf(zip) + 24, -1);
        Files.write(file, zip.array());
        assertMessage("has a broken directory");
    }

    /** 2^63 as a size, which only zip64's fields can hold. */
    @Test
    void refusesHugeZip64Sizes() throws IOException {
        for (long size : new long[]{Long.MIN_VALUE, Long.MAX_VALUE, -1}) {
            ByteArrayOutputStream archive = new ByteArrayOutputStream();
            ByteBuffer local = ByteBuffer.allocate(31).order(ByteOrder.LITTLE_ENDIAN).putInt(0, 0x04034b50)
                    .putShort(26, (short) 1).put(30, (byte) 'a');
            ByteBuffer listed = ByteBuffer.allocate(LISTED_BYTES + 1 + 20).order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(0, 0x02014b50).putInt(20, -1).putInt(24, -1).putShort(28, (short) 1)
                    .putShort(30, (short) 20).put(LISTED_BYTES, (byte) 'a').putShort(LISTED_BYTES + 1, (short) 1)
                    .putShort(LISTED_BYTES + 3, (short) 16).putLong(LISTED_BYTES + 5, size)
                    .putLong(LISTED_BYTES + 13, size);
            ByteBuffer end = ByteBuffer.allocate(22).order(ByteOrder.LITTLE_ENDIAN).putInt(0, 0x06054b50)
                    .putInt(12, listed.capacity()).putInt(16, local.capacity());
            archive.writeBytes(local.array());
            archive.writeBytes(listed.array());
            archive.writeBytes(end.array());
            Files.write(file, archive.toByteArray());
            assertMessage("has an entry a that ends outside, so that the file was cut");
        }
    }

    @Test
    void refusesTwoEntriesOfOneName() throws IOException {
        byte[] zip = zip(ZipEntry.STORED, "a", "b");
        zip[directoryOf(ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN)) + LISTED_BYTES + 1 + LISTED_BYTES] = 'a';
        Files.write(file, zip);
        assertMessage("has two entries a");
    }

    @Test
    void refusesAnEncryptedEntry() throws IOException {
        byte[] zip = zip(ZipEntry.STORED, "a");
        zip[directoryOf(ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN)) + 8] |= 1;
        Files.write(file, zip);
        assertMessage("has an encrypted entry a");
    }

    private static byte[] zip(int method, String... names) throws IOException {
        ByteArrayOutputStream archive = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(archive)) {
            for (String name : names) {
                ZipEntry entry = new ZipEntry(name);
                CRC32 sum = new CRC32();
                sum.update(content(name));
                entry.setMethod(method);
                entry.setSize(content(name).length);
                entry.setCrc(sum.getValue());
                zip.putNextEntry(entry);
                zip.write(content(name));
            }
            zip.setComment("PK\5\6 is no end");
        }
        return archive.toByteArray();
    }

    private static byte[] content(String name) {
        return ("content of " + name).getBytes(StandardCharsets.UTF_8);
    }

    /** Where the directory starts: as the end record says, before its comment of 14 bytes. */
    private static int directoryOf(ByteBuffer zip) {
        return zip.getInt(zip.capacity() - 14 - 22 + 16);
    }

    private void assertMessage(String message) {
        assertEquals(file + ": its zip archive " + message, assertThrows(UserException.class, () -> {
            try (DataFile data = DataFile.open(file)) {
                ZipDirectory.read(data);
            }
        }).getMessage());
    }
}
