package io.mixt5.bench;

import io.mixt5.engine.Device;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleSupplier;
import picocli.CommandLine.Option;

/** What the commands that time whole passes of a model have in common: the model, its batch, and how often. */
final class WorkOptions {
    @Option(names = "--size", defaultValue = "small", description = "tiny, small or base; default ${DEFAULT-VALUE}.")
    String size;

    @Option(names = "--batch", defaultValue = "8", description = "Sequences at a time; default ${DEFAULT-VALUE}.")
    int batch;

    @Option(names = "--src", defaultValue = "512", description = "Source tokens a sequence; default ${DEFAULT-VALUE}.")
    int source;

    @Option(names = {"--steps", "--runs"}, defaultValue = "5",
            description = "Passes that count; default ${DEFAULT-VALUE}.")
    int passes;

    @Option(names = "--warmup", defaultValue = "3", description = "Passes before those; default ${DEFAULT-VALUE}.")
    int warmup;

    @Option(names = "--experts", defaultValue = "0",
            description = "Experts of the last half of the blocks; 0 for a dense model. Default ${DEFAULT-VALUE}.")
    int experts;

    @Option(names = "--device", defaultValue = "cpu", description = "Where to run; default ${DEFAULT-VALUE}.")
    String device;

    /**
     * How long passes took.
     *
     * @param median of the passes that count, in seconds, as the others
     * @param total of all that count
     * @param last what the last pass gave
     */
    record Seconds(double median, double min, double max, double total, double last) {
        Map<String, Double> report() {
            return Map.of("median", median, "min", min, "max", max);
        }
    }

    /** Times {@code pass}, which waits for its device. */
    Seconds time(DoubleSupplier pass) {
        double[] seconds = new double[passes];
        double last = 0;
        for (int i = -warmup; i < passes; i++) {
            long start = System.nanoTime();
            last = pass.getAsDouble();
            if (i >= 0) {
                seconds[i] = (System.nanoTime() - start) * 1e-9;
            }
        }
        Arrays.sort(seconds);
        return new Seconds((seconds[(passes - 1) / 2] + seconds[passes / 2]) / 2, seconds[0], seconds[passes - 1],
                Arrays.stream(seconds).sum(), last);
    }

    /** A report that begins with the model and {@code device}, the one that it ran on. */
    Map<String, Object> report(Device device) {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("size", size);
        report.put("device", device.name());
        report.put("experts", experts);
        return report;
    }
}
