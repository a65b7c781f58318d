package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import io.mixt5.engine.UserException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;

/**
 * Hands mutations of good files to a reader: each must be read or refused by a {@link UserException}, within a minute and
 * without taking much more memory than twice the file.
 *
 * <p>Input number i of a kind of file is always the same. {@code -Dmixt5.fuzz=100000} says how many inputs all kinds together
 * get; an input that fails is kept in {@code target/fuzz}.
 */
public final class Fuzz {
    /** Kinds of files that are fuzzed, over all modules; each gets the same share. */
    private static final int KINDS = 8;
    private static final int INPUTS = Integer.getInteger("mixt5.fuzz", 2400) / KINDS;
    private static final long SECONDS = 60;
    /** What a reader may take for a file of any size: its buffers, the error. */
    private static final long FREE_BYTES = 4 << 20;

    /** Reads a file as the program would. */
    @FunctionalInterface
    public interface Reader {
        /** Reads {@code file} or throws a {@link UserException}. */
        void read(Path file) throws IOException;
    }

    private Fuzz() {
    }

    /**
     * Writes mutations of {@code seeds} to {@code file}, one after the other, and reads each.
     *
     * @param seeds good files; of the first it is checked that it is read
     * @param companions bytes of other files that the reader reads with it
     * @param offHeap the most bytes outside the heap that were taken at a time since it was last asked
     */
    public static void run(String kind, List<byte[]> seeds, Path file, long companions, Reader reader,
            LongSupplier offHeap) throws Exception {
        Mutator mutator = new Mutator(seeds);
        int refused = 0;
        long start = System.nanoTime();
        long most = 0;
        try (ExecutorService worker = Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());
                FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            write(channel, seeds.getFirst());
            // The first time loads classes, too.
            assertFalse(worker.submit(() -> read(file, reader, offHeap)).get().refused, "the good file is refused");
            for (int i = 0; i < INPUTS; i++) {
                byte[] input = mutator.mutate(new SplittableRandom(i));
                write(channel, input);
                Outcome outcome;
                try {
                    outcome = worker.submit(() -> read(file, reader, offHeap)).get(SECONDS, TimeUnit.SECONDS);
                } catch (TimeoutException e) {
                    worker.shutdownNow();
                    throw new AssertionError(kept(kind, i, input) + " was not read within " + SECONDS + " s", e);
                } catch (ExecutionException e) {
                    throw new AssertionError(kept(kind, i, input) + " ended in an error", e.getCause());
                }
                refused += outcome.refused ? 1 : 0;
                long allowed = 2 * (input.length + companions) + FREE_BYTES;
                most = Math.max(most, outcome.bytes - 2 * (input.length + companions));
                if (outcome.bytes > allowed) {
                    fail(kept(kind, i, input) + " of " + input.length + " bytes took " + outcome.bytes + " bytes");
                }
            }
        }
        System.out.printf("fuzz %s: %d inputs, %d refused, %.1f s, at most %,d bytes beyond twice the file%n", kind,
                INPUTS, refused, (System.nanoTime() - start) / 1e9, most);
        assertTrue(refused > 0 && refused < INPUTS, kind + ": " + refused + " of " + INPUTS + " refused");
    }

    private record Outcome(boolean refused, long bytes) {
    }

    private static Outcome read(Path file, Reader reader, LongSupplier offHeap) throws IOException {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        boolean refused = false;
        try {
            reader.read(file);
        } catch (UserException e) {
            refused = true;
            assertTrue(e.getMessage() != null && !e.getMessage().isBlank(), "an error says what is wrong");
        }
        return new Outcome(refused, offHeap.getAsLong() + threads.getCurrentThreadAllocatedBytes() - before);
    }

    private static void write(FileChannel channel, byte[] input) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(input);
        channel.position(0);
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
        channel.truncate(input.length);
    }

    private static Path kept(String kind, int number, byte[] input) throws IOException {
        Path directory = Files.createDirectories(Path.of("target/fuzz"));
        return Files.write(directory.resolve(kind.replace(' ', '-') + "-" + number), input);
    }
}
