package io.mixt5.bench;

import io.mixt5.engine.Device;
import io.mixt5.engine.Tensor;
import io.mixt5.kernels.cuda.CudaBackend;
import io.mixt5.kernels.emulator.Emulator;
import io.mixt5.kernels.emulator.EmulatorSettings;
import io.mixt5.kernels.emulator.counters.Counters;
import io.mixt5.kernels.emulator.counters.GlobalTraffic;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Where a benchmark runs. The emulator's time says nothing about a GPU's: there the counters of the kernels are printed
 * when a benchmark is done, of its set-up and warm-up too.
 */
@State(Scope.Benchmark)
public class DeviceState {
    private static final String EMULATOR = "emulator";

    /** A device's name: {@code cpu}, {@code cuda}, {@code cuda:1}, {@code emulator}. */
    @Param("cpu")
    public String device;

    private final Counters counters = new Counters();
    private MemorySegment word;
    private Device opened;

    /** Opens the device. */
    @Setup(Level.Trial)
    public void open() {
        word = Arena.ofAuto().allocate(Float.BYTES);
        opened = device.equals(EMULATOR)
                ? Device.uncached(new CudaBackend(EMULATOR,
                        () -> new Emulator(EmulatorSettings.DEFAULT.withMonitor(counters)), 0))
                : Device.of(device);
    }

    /** Prints what an emulated device has counted, and gives memory back. */
    @TearDown(Level.Trial)
    public void report() {
        opened.trim();
        System.out.print(counted());
    }

    /** A line for each kernel that an emulated device has run; nothing for other devices. */
    String counted() {
        StringBuilder lines = new StringBuilder();
        counters.kernels().forEach((kernel, counted) -> {
            GlobalTraffic global = counted.global();
            lines.append(String.format(Locale.ROOT,
                    "%n%-36s %5d launches %12d instructions  %5.1f %% mma  %.2f of the least"
                            + " bytes  %.2f coalesced  %.2f ways of shared memory",
                    kernel, counted.launches(),
                    counted.warpInstructions(), 100 * counted.matrixShare(), global.movedOverLeast(),
                    global.coalescing(), counted.shared().ways()));
        });
        return lines.isEmpty() ? "" : lines.append(System.lineSeparator()).toString();
    }

    /** The open device. */
    public Device get() {
        return opened;
    }

    /** Waits for what has been asked of the device, {@code result} last; tensors of no element need not be waited for. */
    public void await(Tensor result) {
        if (!opened.backend().hostVisible() && result.bytes() >= Float.BYTES) {
            opened.backend().download(result.address(), word);
        }
    }
}
