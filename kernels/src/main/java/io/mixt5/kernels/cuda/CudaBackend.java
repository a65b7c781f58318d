package io.mixt5.kernels.cuda;

import io.mixt5.engine.Backend;
import io.mixt5.engine.Kernel;
import io.mixt5.engine.KernelTable;
import io.mixt5.ffm.cuda.CudaDriver;
import io.mixt5.ffm.cuda.CudaException;
import io.mixt5.ffm.cuda.LibCuda;
import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;

/**
 * A device of a {@link CudaDriver} as the engine's backend: by default a GPU through {@link LibCuda}. The device is
 * opened when it is first used.
 */
public class CudaBackend implements Backend {
    private final String name;
    private final Supplier<CudaDriver> driver;
    private final int ordinal;
    private CudaGpu gpu;
    private KernelTable kernels;

    /** The first GPU. */
    public CudaBackend() {
        this("cuda", LibCuda::driver, 0);
    }

    /**
     * Device {@code ordinal} of a driver.
     *
     * @param name in configurations
     * @param driver asked for when the device is opened; throws UserException where there is none
     */
    public CudaBackend(String name, Supplier<CudaDriver> driver, int ordinal) {
        this.name = name;
        this.driver = driver;
        this.ordinal = ordinal;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String unavailable() {
        return LibCuda.unavailable();
    }

    @Override
    public boolean hostVisible() {
        return false;
    }

    @Override
    public Backend ordinal(int n) {
        if (n == ordinal) {
            return this;
        }
        return unavailable() == null && n < driver.get().deviceCount() ? new CudaBackend(name, driver, n) : null;
    }

    /** The device, opened. */
    public synchronized CudaGpu gpu() {
        if (gpu == null) {
            gpu = new CudaGpu(driver.get(), ordinal);
            kernels = new KernelTable(CudaBackend.class, "Cuda", gpu);
        }
        return gpu;
    }

    /** Whether {@code e} says that a call of CUDA's driver failed; its message says which, and what to do. */
    public static boolean isDeviceFailure(Throwable e) {
        return e instanceof CudaException;
    }

    @Override
    public long allocate(long bytes) {
        try {
            return gpu().stream().allocate(bytes);
        } catch (CudaException e) {
            if (e.status() == CudaException.OUT_OF_MEMORY) {
                throw (OutOfMemoryError) new OutOfMemoryError(e.getMessage()).initCause(e);
            }
            throw e;
        }
    }

    @Override
    public void free(long address, long bytes) {
        gpu().stream().free(address);
    }

    @Override
    public void zero(long address, long bytes) {
        if (bytes > 0) {
            gpu().stream().fill(address, (byte) 0, bytes);
        }
    }

    @Override
    public void copy(long source, long target, long bytes) {
        if (bytes > 0) {
            gpu().stream().copy(source, target, bytes);
        }
    }

    @Override
    public void upload(MemorySegment source, long target) {
        gpu().upload(source, target);
    }

    @Override
    public void download(long source, MemorySegment target) {
        gpu().download(source, target);
    }

    /** Starts the kernels as one graph of the driver's, where it has graphs. */
    @Override
    public <T> T together(Supplier<T> work) {
        return gpu().stream().together(work);
    }

    @Override
    public <K extends Kernel> K kernel(Class<K> type) {
        gpu();
        return kernels.get(type);
    }
}
