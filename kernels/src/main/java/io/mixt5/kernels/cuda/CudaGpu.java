package io.mixt5.kernels.cuda;

import io.mixt5.engine.Memory;
import io.mixt5.ffm.cuda.CudaDriver;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/**
 * One device of a {@link CudaDriver}, in use: its primary context, the one stream on which all work runs in order, the
 * modules loaded so far and what kernels share.
 *
 * <p>As there is one stream, memory that is given back may be handed out again at once: whoever writes to it next comes
 * later in the stream. Any thread may call; work is done in the order of the calls.
 */
public final class CudaGpu {
    /** The context that each thread has made current last. */
    private static final ThreadLocal<CudaGpu> CURRENT = new ThreadLocal<>();
    private static final int PERCENT = 10;

    private final CudaDriver driver;
    private final int ordinal;
    private final long context;
    private final CudaStream stream;
    private final int capability;
    private final int multiprocessors;
    private final Staging staging;
    private final Tables tables;
    private final RouterFault routerFault;
    private final Map<String, CudaModule> modules = new HashMap<>();
    private final ThreadLocal<Launch> launches = ThreadLocal.withInitial(() -> new Launch(this));

    CudaGpu(CudaDriver driver, int ordinal) {
        this.driver = driver;
        this.ordinal = ordinal;
        context = driver.retainPrimaryContext(ordinal);
        enter();
        stream = new CudaStream(this, driver);
        capability = PERCENT * driver.deviceAttribute(ordinal, CudaDriver.CAPABILITY_MAJOR)
                + driver.deviceAttribute(ordinal, CudaDriver.CAPABILITY_MINOR);
        multiprocessors = driver.deviceAttribute(ordinal, CudaDriver.MULTIPROCESSORS);
        staging = new Staging(this);
        tables = new Tables(this);
        routerFault = new RouterFault(this);
    }

    /**
     * The driver, with this device's context current for the calling thread, for what is no work of the stream's; work
     * that is being captured is started before, since the driver may do things in whose midst it cannot be.
     */
    CudaDriver driver() {
        enter();
        stream.flush();
        return driver;
    }

    /** Makes this device's context current for the calling thread. */
    void enter() {
        if (CURRENT.get() != this) {
            driver.makeCurrent(context);
            CURRENT.set(this);
        }
    }

    /** Where all work runs. */
    CudaStream stream() {
        return stream;
    }

    /** The device's number. */
    public int ordinal() {
        return ordinal;
    }

    /** Compute capability times ten: 75, 80, 90. */
    public int capability() {
        return capability;
    }

    /** Number of multiprocessors, for kernels that size their grids by it. */
    public int multiprocessors() {
        return multiprocessors;
    }

    /** The name and capability, for people. */
    public String description() {
        return driver.deviceName(ordinal) + ", compute capability " + capability / PERCENT + "." + capability % PERCENT;
    }

    /** The module of that name, loaded when it is first asked for. */
    synchronized CudaModule module(String name) {
        return modules.computeIfAbsent(name, key -> new CudaModule(this, key));
    }

    /** The calling thread's launch, for {@code function}, without arguments yet. */
    Launch launch(CudaModule.Function function) {
        return launches.get().of(function);
    }

    /**
     * Device memory that holds these numbers until the work launched next is done: tables that kernels read, such as
     * the sequences' places. Equal tables are uploaded once.
     */
    public long table(int[] numbers) {
        return tables.get(MemorySegment.ofArray(numbers));
    }

    /** As {@link #table(int[])}. */
    public long table(long[] numbers) {
        return tables.get(MemorySegment.ofArray(numbers));
    }

    /** As {@link #table(int[])}. */
    public long table(float[] numbers) {
        return tables.get(MemorySegment.ofArray(numbers));
    }

    /** Where the router reports a token whose logits have no softmax. */
    RouterFault routerFault() {
        return routerFault;
    }

    /** Copies host memory to the device; the host's may be changed at once. */
    void upload(MemorySegment source, long target) {
        staging.upload(source, target);
    }

    /**
     * Copies device memory to the host, when all work before is done.
     *
     * @throws ArithmeticException if the router has met logits without a softmax since the last time
     */
    void download(long source, MemorySegment target) {
        staging.download(source, target);
        routerFault.check();
    }

    /** Waits until all work is done. */
    public void synchronize() {
        staging.synchronize();
    }

    /** Host memory that the device copies from and to directly. */
    MemorySegment pinned(long bytes) {
        return Memory.ALL.asSlice(driver().allocateHost(bytes), bytes);
    }
}
