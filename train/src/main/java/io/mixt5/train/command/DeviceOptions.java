package io.mixt5.train.command;

import io.mixt5.engine.Device;
import io.mixt5.model.Precision;
import io.mixt5.model.T5Model;
import io.mixt5.train.config.Devices;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where a command computes, and in what. */
final class DeviceOptions {
    @Option(names = "--device", defaultValue = "auto", paramLabel = "NAME",
            description = "Where to run: cpu, cuda, cuda:N, or auto for a GPU where there is one; default ${DEFAULT-VALUE}.")
    private String device;

    @Option(names = "--precision", defaultValue = "fp32", paramLabel = "NAME",
            description = "What to compute in: ${COMPLETION-CANDIDATES}; default ${DEFAULT-VALUE}.")
    private Precision precision;

    /** The model in a directory, on the device, which it is checked to work on first. The caller closes it. */
    T5Model load(Path directory) {
        Device on = Devices.open(device);
        precision.requireOn(on);
        return T5Model.load(directory, on).compute(precision);
    }
}
