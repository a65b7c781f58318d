package io.mixt5.kernels.cuda;

import io.mixt5.engine.Device;
import io.mixt5.engine.op.Linear;
import io.mixt5.ffm.cuda.LibCuda;
import io.mixt5.ffm.cuda.StandIn;
import io.mixt5.kernels.emulator.Emulator;
import io.mixt5.kernels.emulator.EmulatorSettings;
import io.mixt5.kernels.emulator.sanitizer.Sanitizer;
import java.util.List;

/**
 * A device behind the stand-in for CUDA's driver, with graphs or without, that counts what the driver is asked for. For
 * the tests of those who use devices and know of no driver.
 */
public final class GraphedGpu implements AutoCloseable {
    private static final String GEMM = "mixt5.cuda.gemm";
    private static final String GRAPHS = "mixt5.cuda.graphs";

    private final StandIn standIn;
    private final CudaBackend backend = new CudaBackend("cuda", LibCuda::driver, 0);
    private final Device device = Device.uncached(backend);

    /** What is there until closed, with our own products. */
    public GraphedGpu(boolean graphs) {
        this(graphs, "own");
    }

    /** With the products of {@code gemm}. */
    GraphedGpu(boolean graphs, String gemm) {
        standIn = StandIn.install(new Emulator(EmulatorSettings.DEFAULT.withMonitor(new Sanitizer())));
        System.setProperty(GEMM, gemm);
        System.setProperty(GRAPHS, graphs ? "on" : "off");
        try {
            backend.gpu();
            backend.kernel(Linear.Kernel.class);
        } finally {
            System.clearProperty(GRAPHS);
            System.clearProperty(GEMM);
        }
    }

    /** Ends the calling test, saying so, where there is no stand-in. */
    public static void assumeAvailable() {
        StandIn.assumeAvailable();
    }

    /** The device, which keeps no memory that is given back. */
    public Device device() {
        return device;
    }

    CudaBackend backend() {
        return backend;
    }

    StandIn standIn() {
        return standIn;
    }

    /** How many graphs have been launched. */
    public long launches() {
        return standIn.calls("cuGraphLaunch");
    }

    /** How many executable graphs have been made. */
    public long made() {
        return standIn.calls("cuGraphInstantiateWithFlags");
    }

    /** How many times one has been given new parameters, or refused them. */
    public long updates() {
        return standIn.calls("cuGraphExecUpdate_v2");
    }

    /** How many kernels, copies and fills have been done by launches of graphs. */
    public long nodes() {
        return standIn.graphNodes();
    }

    /** How many kernels have been launched or captured. */
    public long kernels() {
        return standIn.calls("cuLaunchKernel");
    }

    /** How many times the device has been waited for. */
    public long waits() {
        return standIn.calls("cuStreamSynchronize");
    }

    /** How many graphs, executable graphs and captures there are, in this order. */
    public List<Integer> live() {
        return standIn.liveGraphs();
    }

    /** What calls of the driver have thrown. */
    public List<Throwable> thrown() {
        return standIn.thrown();
    }

    @Override
    public void close() {
        standIn.close();
    }
}
