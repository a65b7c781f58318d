package io.mixt5.train.command;

import io.mixt5.engine.Backend;
import io.mixt5.ffm.NativeLibraries;
import io.mixt5.ffm.OpenBlas;
import io.mixt5.kernels.cpu.Gemms;
import io.mixt5.kernels.cpu.Lanes;
import io.mixt5.kernels.cpu.WorkerPool;
import java.io.PrintWriter;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Says what this machine offers to MixT5, what is missing and what to do about it. */
@Command(name = "doctor", mixinStandardHelpOptions = true,
        description = "Shows what MixT5 has found here: Java, memory, vector width, BLAS, devices; and what to do about what is missing.")
public final class DoctorCommand implements Callable<Integer> {
    private static final int AVX2_FLOATS = 8;

    @Spec
    private CommandSpec spec;
    private PrintWriter out;

    @Override
    public Integer call() {
        out = spec.commandLine().getOut();
        Runtime runtime = Runtime.getRuntime();
        line("java", System.getProperty("java.vm.name") + " " + Runtime.version() + " at "
                + System.getProperty("java.home"));
        line("machine",
                System.getProperty("os.name") + " " + System.getProperty("os.arch") + ", "
                        + runtime.availableProcessors()
                        + " processors, " + WorkerPool.size() + " workers");
        var system = (com.sun.management.OperatingSystemMXBean) java.lang.management.ManagementFactory
                .getOperatingSystemMXBean();
        line("memory", "%.1f GiB, %.1f GiB free; at most %.1f GiB for the Java heap (tensors lie outside it)".formatted(
                gib(system.getTotalMemorySize()), gib(system.getFreeMemorySize()), gib(runtime.maxMemory())));
        line("vectors", Lanes.FLOATS * Float.SIZE + " bits");
        if (Lanes.FLOATS < AVX2_FLOATS) {
            advise("a processor with AVX2 or AVX-512 would be several times as fast");
        }
        line("products", Gemms.gemm().description());
        if (!OpenBlas.available()) {
            advise("install OpenBLAS (Debian: apt install libopenblas0) or name its file by MIXT5_OPENBLAS; until then Java does its work");
        }
        for (Backend backend : ServiceLoader.load(Backend.class)) {
            String reason = backend.unavailable();
            line("device " + backend.name(), reason == null ? "ready" : "not usable: " + reason);
        }
        for (NativeLibraries.Attempt attempt : NativeLibraries.attempts()) {
            line("looked for", attempt.toString());
        }
        out.flush();
        return ExitCode.OK;
    }

    private void line(String what, String found) {
        out.printf("%-18s %s%n", what, found);
    }

    private void advise(String what) {
        line("", "-> " + what);
    }

    private static double gib(long bytes) {
        return bytes / (double) (1L << 30);
    }
}
