package io.mixt5.train.run;

import io.mixt5.model.io.AtomicFile;
import io.mixt5.model.io.UserFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * The SHA-256 of every file of a directory, in a file of its own that {@code sha256sum -c SHA256SUMS} reads too: a line a
 * file, and last, as a comment, the SHA-256 of those lines.
 */
final class Checksums {
    static final String FILE = "SHA256SUMS";

    private static final int CHUNK_BYTES = 1 << 20;
    private static final int HEX_DIGITS = 64;
    private static final String GAP = "  ";
    private static final String LAST_LINE = "# these lines: ";

    private Checksums() {
    }

    /**
     * Writes the sums of all files that lie in {@code directory} and below it.
     *
     * @throws io.mixt5.engine.UserException when a file cannot be read or the sums not be written
     */
    static void write(Path directory) {
        StringBuilder lines = new StringBuilder();
        for (Path file : files(directory)) {
            String name = directory.relativize(file).toString().replace('\\', '/');
            if (!name.equals(FILE)) {
                lines.append(sum(file)).append(GAP).append(name).append('\n');
            }
        }
        ByteBuffer text = StandardCharsets.UTF_8.encode(lines + LAST_LINE + sum(lines.toString()) + "\n");
        AtomicFile.write(directory.resolve(FILE), channel -> {
            while (text.hasRemaining()) {
                channel.write(text);
            }
        });
    }

    /** What is wrong with a directory that {@link #write} has described, naming the file; null when it is whole. */
    static String damage(Path directory) {
        Path file = directory.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            return "it has no " + FILE;
        }
        String text;
        try {
            text = Files.readString(file);
        } catch (MalformedInputException e) {
            return FILE + " is not text";
        } catch (IOException e) {
            throw UserFiles.cannotRead(file, e);
        }
        int end = text.lastIndexOf(LAST_LINE);
        if (end < 0 || !text.substring(end).equals(LAST_LINE + sum(text.substring(0, end)) + "\n")) {
            return FILE + " is not as it was written";
        }
        return text.substring(0, end).lines().map(line -> damage(directory, line)).filter(fault -> fault != null)
                .findFirst().orElse(null);
    }

    private static String damage(Path directory, String line) {
        String name = line.substring(HEX_DIGITS + GAP.length());
        Path file = directory.resolve(name);
        if (!Files.isRegularFile(file)) {
            return name + " is missing";
        }
        return sum(file).equals(line.substring(0, HEX_DIGITS)) ? null : name + " is not as it was written";
    }

    private static List<Path> files(Path directory) {
        try (var files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw UserFiles.cannotRead(directory, e);
        }
    }

    private static String sum(String text) {
        return HexFormat.of().formatHex(sha256().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static String sum(Path file) {
        MessageDigest digest = sha256();
        ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);
        try (FileChannel channel = FileChannel.open(file)) {
            while (channel.read(chunk) >= 0) {
                digest.update(chunk.flip());
                chunk.clear();
            }
        } catch (IOException e) {
            throw UserFiles.cannotRead(file, e);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** A new digest, also for the fingerprint of a run's data. */
    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has it", e);
        }
    }
}
