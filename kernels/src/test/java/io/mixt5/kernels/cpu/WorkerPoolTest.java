package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.mixt5.engine.UserException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class WorkerPoolTest {
    private static int sum;

    @Test
    void runsEveryTaskOnce() {
        for (int tasks : new int[]{0, 1, 2, 3, 7, 64, 10_000}) {
            AtomicIntegerArray runs = new AtomicIntegerArray(tasks);
            WorkerPool.forEach(tasks, (task, worker) -> runs.incrementAndGet(task));
            for (int task = 0; task < tasks; task++) {
                assertEquals(1, runs.get(task), "task " + task + " of " + tasks);
            }
        }
    }

    @Test
    void givesAWorkerToOneThreadAtATime() {
        AtomicIntegerArray busy = new AtomicIntegerArray(WorkerPool.size());
        AtomicInteger clashes = new AtomicInteger();
        WorkerPool.forEach(20_000, (task, worker) -> {
            if (busy.incrementAndGet(worker) != 1) {
                clashes.incrementAndGet();
            }
            Thread.onSpinWait();
            busy.decrementAndGet(worker);
        });
        assertEquals(0, clashes.get());
    }

    @Test
    void usesEveryThread() {
        CountDownLatch all = new CountDownLatch(WorkerPool.size());
        List<Integer> seen = Collections.synchronizedList(new ArrayList<>());
        WorkerPool.forEach(WorkerPool.size(), (task, worker) -> {
            seen.add(worker);
            all.countDown();
            await(all);
        });
        assertEquals(IntStream.range(0, WorkerPool.size()).boxed().toList(), seen.stream().sorted().toList());
    }

    @Test
    void makesResultsVisibleToTheCaller() {
        int[] plain = new int[64];
        for (int round = 1; round <= 20_000; round++) {
            int value = round;
            WorkerPool.forEach(plain.length, (task, worker) -> plain[task] += value);
        }
        for (int value : plain) {
            assertEquals(20_000 * 20_001 / 2, value);
        }
    }

    @Test
    void wakesParkedThreads() {
        for (int round = 0; round < 50; round++) {
            LockSupport.parkNanos(2_000_000);
            usesEveryThread();
        }
    }

    @Test
    void handsAnExceptionToTheCallerAndGoesOn() {
        IllegalStateException thrown = new IllegalStateException("from a task");
        for (int round = 0; round < 1000; round++) {
            int bad = round % 10;
            assertSame(thrown,
                    assertThrows(IllegalStateException.class, () -> WorkerPool.forEach(10, (task, worker) -> {
                        if (task == bad) {
                            throw thrown;
                        }
                    })));
        }
        assertThrows(StackOverflowError.class, () -> WorkerPool.forEach(10, (task, worker) -> {
            throw new StackOverflowError();
        }));
        runsEveryTaskOnce();
    }

    @Test
    void dropsWhatHasNotBegunAfterAnException() {
        AtomicInteger begun = new AtomicInteger();
        assertThrows(ArithmeticException.class, () -> WorkerPool.forEach(1_000_000, (task, worker) -> {
            begun.incrementAndGet();
            throw new ArithmeticException();
        }));
        assertTrue(begun.get() <= WorkerPool.size(), begun + " tasks ran");
    }

    @Test
    void runsInnerCallsOnTheSameWorker() {
        AtomicInteger strangers = new AtomicInteger();
        AtomicIntegerArray runs = new AtomicIntegerArray(32 * 8);
        WorkerPool.forEach(32, (outer, worker) -> WorkerPool.forEach(8, (inner, innerWorker) -> {
            runs.incrementAndGet(outer * 8 + inner);
            if (worker != innerWorker) {
                strangers.incrementAndGet();
            }
        }));
        assertEquals(0, strangers.get());
        assertTrue(IntStream.range(0, runs.length()).allMatch(i -> runs.get(i) == 1));
    }

    @Test
    void cutsRangesByGrainAlone() {
        for (long n : new long[]{0, 1, 99, 100, 101, 1234}) {
            List<String> chunks = Collections.synchronizedList(new ArrayList<>());
            WorkerPool.forRange(n, 100, (from, to, worker) -> chunks.add(from + "-" + to));
            List<String> expected = new ArrayList<>();
            for (long from = 0; from < n; from += 100) {
                expected.add(from + "-" + Math.min(n, from + 100));
            }
            Collections.sort(expected);
            Collections.sort(chunks);
            assertEquals(expected, chunks);
        }
    }

    @Test
    void servesSeveralCallersInTurn() throws InterruptedException {
        AtomicInteger total = new AtomicInteger();
        AtomicIntegerArray busy = new AtomicIntegerArray(WorkerPool.size());
        AtomicInteger clashes = new AtomicInteger();
        List<Thread> callers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            callers.add(Thread.ofPlatform().start(() -> {
                for (int round = 0; round < 500; round++) {
                    WorkerPool.forEach(5, (task, worker) -> {
                        if (busy.incrementAndGet(worker) != 1) {
                            clashes.incrementAndGet();
                        }
                        total.incrementAndGet();
                        busy.decrementAndGet(worker);
                    });
                }
            }));
        }
        for (Thread caller : callers) {
            caller.join();
        }
        assertEquals(4 * 500 * 5, total.get());
        assertEquals(0, clashes.get());
    }

    @Test
    void finishesForAnInterruptedCallerAndKeepsTheInterrupt() {
        Thread.currentThread().interrupt();
        try {
            AtomicInteger runs = new AtomicInteger();
            WorkerPool.forEach(8, (task, worker) -> {
                long end = System.nanoTime() + 200_000;
                while (System.nanoTime() < end) {
                    Thread.onSpinWait();
                }
                runs.incrementAndGet();
            });
            assertEquals(8, runs.get());
        } finally {
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void allocatesNothingWhenWarm() {
        WorkerPool.Task body = (task, worker) -> {
            if (worker == 0) {
                sum += task;
            }
        };
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long self = Thread.currentThread().threadId();
        for (int i = 0; i < 20_000; i++) {
            WorkerPool.forEach(4, body);
        }
        long before = threads.getThreadAllocatedBytes(self);
        for (int i = 0; i < 20_000; i++) {
            WorkerPool.forEach(4, body);
        }
        long bytes = threads.getThreadAllocatedBytes(self) - before;
        assertTrue(bytes < 20_000, bytes + " bytes in 20000 calls");
    }

    @Test
    void takesTheNumberOfThreadsFromTheProperty() throws Exception {
        assertEquals("3", Jvm.run(PrintSize.class, "-Dmixt5.threads=3").strip());
        for (String wrong : new String[]{"0", "many"}) {
            String output = Jvm.run(PrintSize.class, "-Dmixt5.threads=" + wrong);
            assertTrue(output.contains("System property mixt5.threads is '" + wrong + "'"), output);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(30, TimeUnit.SECONDS), "the other threads did not come");
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    static final class PrintSize {
        private PrintSize() {
        }

        public static void main(String[] args) {
            try {
                System.out.println(WorkerPool.size());
            } catch (ExceptionInInitializerError e) {
                System.out.println(((UserException) e.getCause()).getMessage());
            }
        }
    }
}
