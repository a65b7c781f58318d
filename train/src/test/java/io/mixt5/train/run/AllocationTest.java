package io.mixt5.train.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.mixt5.engine.Device;
import io.mixt5.engine.Philox;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.train.config.TrainConfig;
import io.mixt5.train.data.TextPair;
import io.mixt5.train.optim.AdamWOptimizer;
import io.mixt5.train.optim.Optimizer;
import io.mixt5.train.optim.Schedule;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What many short steps over batches of varying shapes leave behind: nothing. Property {@code mixt5.steps} asks for another
 * number of them.
 */
class AllocationTest {
    private static final int STEPS = Integer.getInteger("mixt5.steps", 2000);
    private static final int WARM_UP = 500;
    private static final int BATCHES = 50;

    @TempDir
    Path directory;

    @Test
    void stepsDoNotGrowTheProcess() throws IOException {
        Device device = Device.of("cpu");
        device.trim();
        TrainConfig config = new RunFixture(directory).config("a", "'max_steps': 1, 'dropout_rate': 0.1");
        try (T5Model model = T5Model.random(shape(), device, 3);
                Optimizer optimizer = new AdamWOptimizer(model.parameters().all(), p -> 0, 0.9, 0.999, 1e-8)) {
            Trainer trainer = new Trainer(model, optimizer, new Schedule(Schedule.Kind.CONSTANT, 1e-3, 0, 1), config,
                    null);
            List<List<List<TextPair>>> batches = batches();
            run(trainer, batches, 0, WARM_UP);
            long tensors = device.liveTensors();
            long reserved = device.reservedBytes();
            long heap = heap();
            long resident = residentKilobytes();
            System.out.printf("after %,d steps: %,d bytes reserved, %,d of heap, %,d kB resident%n", WARM_UP, reserved,
                    heap,
                    resident);
            long allocated = allocated();
            run(trainer, batches, WARM_UP, STEPS);
            long first = (allocated() - allocated) / STEPS;
            allocated = allocated();
            run(trainer, batches, WARM_UP + STEPS, STEPS);
            long second = (allocated() - allocated) / STEPS;
            System.out.printf(
                    "after %,d steps: %,d bytes reserved, %,d of heap, %,d kB resident; %,d, then %,d bytes of heap "
                            + "used by a step%n",
                    WARM_UP + 2 * STEPS, device.reservedBytes(), heap(), residentKilobytes(), first,
                    second);
            assertEquals(tensors, device.liveTensors());
            assertEquals(reserved, device.reservedBytes(), "off the heap");
            assertTrue(heap() < heap + (2 << 20), "on the heap: " + heap() + " bytes, before " + heap);
            // Less, as long as the JIT still finds what need not be made.
            assertTrue(second < 1.05 * first, "bytes of heap used by a step: " + first + ", then " + second);
        }
        assertEquals(0, device.liveTensors());
    }

    private static void run(Trainer trainer, List<List<List<TextPair>>> batches, int from, int steps) {
        for (int step = from; step < from + steps; step++) {
            trainer.update(step, batches.get(step % BATCHES));
        }
    }

    /** Of one to three examples of one to eight tokens each. */
    private static List<List<List<TextPair>>> batches() {
        List<List<List<TextPair>>> batches = new ArrayList<>();
        for (int i = 0; i < BATCHES; i++) {
            List<TextPair> pairs = new ArrayList<>();
            for (int j = 0; j <= i % 3; j++) {
                pairs.add(new TextPair(i + "-" + j, ids(2 * i, j), ids(2 * i + 1, j)));
            }
            batches.add(List.of(pairs));
        }
        return batches;
    }

    private static int[] ids(int stream, int row) {
        int[] ids = new int[1 + (Philox.bits(1, stream, row, 0) >>> 29)];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = 3 + (Philox.bits(1, stream, row, i + 1) >>> 27);
        }
        return ids;
    }

    private static T5Config shape() {
        T5Config shape = T5Config.preset("tiny");
        shape.vocabSize = 40;
        shape.dModel = 8;
        shape.dKv = 4;
        shape.dFf = 8;
        shape.numHeads = 2;
        shape.numLayers = 1;
        return shape;
    }

    private static long heap() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static long allocated() {
        return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }

    /** Of the process, in kB; 0 where the system does not say. */
    private static long residentKilobytes() throws IOException {
        Path status = Path.of("/proc/self/status");
        return !Files.exists(status)
                ? 0
                : Files.readAllLines(status).stream().filter(line -> line.startsWith("VmRSS:"))
                        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).sum();
    }
}
