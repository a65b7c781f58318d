package io.mixt5.kernels.emulator;

import io.mixt5.ffm.cuda.CudaException;
import io.mixt5.kernels.emulator.instruction.Assembler;
import io.mixt5.kernels.emulator.machine.Grid;
import io.mixt5.kernels.emulator.machine.Segment;
import io.mixt5.kernels.emulator.ptx.PtxException;
import io.mixt5.kernels.emulator.ptx.PtxFunction;
import io.mixt5.kernels.emulator.ptx.PtxModule;
import io.mixt5.kernels.emulator.ptx.PtxParser;
import io.mixt5.kernels.emulator.ptx.PtxVariable;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;

/** PTX loaded on a device: its kernels decoded, its variables in the device's memory. */
final class EmulatedModule {
    private final EmulatedDevice device;
    private final String name;
    private final Map<String, Grid> kernels = new HashMap<>();
    private final Map<String, Long> variables = new HashMap<>();

    /**
     * Loads PTX.
     *
     * @param newestPtx 10 * major + minor of the newest version that the driver reads
     */
    EmulatedModule(String call, EmulatedDevice device, String name, String ptx, EmulatorSettings settings,
            int newestPtx) {
        this.device = device;
        this.name = name;
        try {
            int version = PtxParser.version(name, ptx);
            if (version > newestPtx) {
                throw new CudaException(CudaException.UNSUPPORTED_PTX_VERSION, call, name + " is PTX "
                        + dotted(version) + ", and the driver reads up to " + dotted(newestPtx));
            }
            PtxModule module = PtxParser.parse(name, ptx);
            if (module.target() > settings.capability()) {
                throw new CudaException(CudaException.INVALID_PTX, call, name + " is for compute capability "
                        + dotted(module.target()) + ", and the device has " + dotted(settings.capability()));
            }
            for (PtxVariable variable : module.variables().values()) {
                if (!variable.space().equals("shared") && variable.bytes() > 0) {
                    variables.put(variable.name(), device.allocate(call, variable.bytes()).base());
                }
            }
            for (PtxVariable variable : module.variables().values()) {
                if (variables.containsKey(variable.name())) {
                    initialize(call, name, variable);
                }
            }
            for (PtxFunction function : module.functions().values()) {
                if (function.entry() && function.body() != null) {
                    kernels.put(function.name(), new Grid(Assembler.assemble(module, function, variables),
                            device.memory(), settings.monitor(), settings.budget()));
                }
            }
        } catch (PtxException e) {
            throw new CudaException(CudaException.INVALID_PTX, call, e.getMessage());
        }
    }

    private static String dotted(int version) {
        return version / 10 + "." + version % 10;
    }

    private void initialize(String call, String module, PtxVariable variable) {
        long address = variables.get(variable.name());
        device.fill(call, address, (byte) 0, variable.bytes());
        Segment segment = device.memory().find(address);
        System.arraycopy(variable.initial(), 0, segment.bytes(), 0, variable.initial().length);
        variable.references().forEach((at, reference) -> {
            Long target = variables.get(reference.name());
            if (target == null) {
                throw new PtxException(module, variable.line(), "nothing is called " + reference.name());
            }
            Segment.LONG.set(segment.bytes(), (int) at, target + reference.offset());
        });
    }

    EmulatedDevice device() {
        return device;
    }

    /** The name it was loaded under. */
    String name() {
        return name;
    }

    /** The kernel of that name; null if there is none. */
    Grid kernel(String name) {
        return kernels.get(name);
    }

    /** Names of its kernels, for messages. */
    String kernelNames() {
        return String.join(", ", new TreeSet<>(kernels.keySet()));
    }

    void unload(String call) {
        for (long address : variables.values()) {
            device.free(call, address);
        }
    }
}
