package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.mixt5.engine.Dropout;
import io.mixt5.engine.Memory;
import io.mixt5.engine.RandomStream;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class JitDirectivesTest {
    private static final Pattern METHOD = Pattern.compile("\"[+-](io/mixt5/\\S+)\\.([\\w*]+)\"");

    @Test
    void theJvmTakesThem() throws Exception {
        assertEquals("1 compiler directives added", JitDirectives.addFile());
    }

    /** A method that has been renamed would be forgotten without a word. */
    @Test
    void everyMethodExists() throws Exception {
        try (InputStream file = JitDirectives.class.getResourceAsStream("jit-directives.json")) {
            String text = new String(file.readAllBytes(), StandardCharsets.UTF_8);
            var methods = METHOD.matcher(text).results().toList();
            assertEquals(text.lines().filter(line -> line.contains("\"+") || line.contains("\"-")).count(),
                    methods.size());
            for (var method : methods) {
                Class<?> type = Class.forName(method.group(1).replace('/', '.'));
                assertTrue(method.group(2).equals("*") || Arrays.stream(type.getDeclaredMethods())
                        .anyMatch(declared -> declared.getName().equals(method.group(2))), method.group());
            }
        }
    }

    @Test
    void hotLoopsAllocateNothing() throws Exception {
        assertEquals("", Jvm.run(HotLoops.class));
    }

    /**
     * Runs loops until the JIT has compiled them, when no vector is an object any more, and prints those that go on
     * allocating. In a process of its own, where nothing has been compiled before the directives came.
     */
    static final class HotLoops {
        /** Some chunks of floats. */
        private static final int N = 1 << 16;
        private static final int FACTORS = Scratch.newSlot();
        private static final int X = Scratch.newSlot();
        private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

        private HotLoops() {
        }

        public static void main(String[] args) {
            JitDirectives.await();
            long factors = Scratch.get(FACTORS, 4L * (N + VectorPhilox.GROUP));
            long x = Scratch.get(X, 4L * (N + VectorPhilox.GROUP));
            Memory.fill(x, 4L * N, (byte) 0);
            Dropout dropout = new Dropout(0.1f, 1, 2, 3);
            RandomStream stream = new RandomStream(1, 2, 3);
            stops("factors", () -> VectorPhilox.factors(dropout, 0, N, factors));
            stops("uniforms", () -> VectorPhilox.uniforms(stream, 0, N, x));
            stops("bias", () -> AttentionRows.addBias(x, factors, N));
            stops("scale", () -> AttentionRows.scale(x, factors, N, 1));
            stops("exponentials", () -> AttentionRows.exponentials(x, N, 1));
            stops("log-sum-exp", () -> Reductions.logSumExp(x, N));
            stops("rows", () -> Rows.scale(x, 1, factors, N, true));
        }

        private static void stops(String name, Runnable loop) {
            long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
            long bytes;
            do {
                long before = THREADS.getCurrentThreadAllocatedBytes();
                loop.run();
                bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
            } while (bytes > 1000 && System.nanoTime() < deadline);
            if (bytes > 1000) {
                System.out.println(name + " allocates " + bytes + " bytes");
            }
        }
    }
}
