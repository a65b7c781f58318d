package io.mixt5.kernels.cuda;

import io.mixt5.ffm.cuda.CudaDriver;
import io.mixt5.ffm.cuda.CudaException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * The one stream of a device, in which all work is done in the order of the calls, whichever threads call.
 *
 * <p>Inside {@link #together} work is captured as a graph of the driver's and started as a whole: at the end, or as soon
 * as somebody waits for the device or asks the driver for something else. It is captured anew each time, so that neither
 * addresses nor shapes have to stay; {@link ExecutableGraphs} says what becomes of it. Memory that is given back
 * meanwhile goes to the driver once the work that was captured before has been started.
 *
 * <p>What was captured is also kept until it has been started. Where the driver refuses to capture or to make a graph,
 * that work is started piece by piece, and graphs are not used again.
 */
final class CudaStream {
    private static final long FILL = 1;
    private static final long COPY = 2;
    private static final long UPLOAD = 3;
    private static final long LIBRARY = 4;
    private static final int FACTOR = 31;

    private final CudaGpu gpu;
    private final CudaDriver driver;
    private final long handle;
    /** Null where they are not to be used, or not any more. */
    private ExecutableGraphs graphs;
    /** How many callers are inside {@link #together}. */
    private int together;
    private boolean capturing;
    private final List<Runnable> captured = new ArrayList<>();
    /** A hash of what the captured work consists of. */
    private long kinds;
    /** Given back while captured work may use it. */
    private final List<Long> freed = new ArrayList<>();
    /** For captured work, as a thread's own may hold the arguments of a launch to come. */
    private final Launch launch;

    /** A stream in the context that is current. */
    CudaStream(CudaGpu gpu, CudaDriver driver) {
        this.gpu = gpu;
        this.driver = driver;
        handle = driver.createStream();
        graphs = ExecutableGraphs.of(driver);
        launch = new Launch(gpu);
    }

    /** The driver's, for {@link #run}. */
    long handle() {
        return handle;
    }

    /** Starts the kernel of {@code call} with its arguments. */
    synchronized void launch(Launch call, int gridX, int gridY, int gridZ, int threads, int shared) {
        if (together == 0 || graphs == null) {
            gpu.enter();
            start(call, gridX, gridY, gridZ, threads, shared);
            return;
        }
        CudaModule.Function function = call.function();
        long[] arguments = call.arguments();
        put(function.handle(),
                () -> start(launch.of(function).int64(arguments), gridX, gridY, gridZ, threads, shared));
    }

    private void start(Launch call, int gridX, int gridY, int gridZ, int threads, int shared) {
        driver.launch(call.function().handle(), call.function().name(), gridX, gridY, gridZ, threads, 1, 1, shared,
                handle, call.parameters());
    }

    /** Fills device memory with a byte. */
    synchronized void fill(long address, byte value, long bytes) {
        put(FILL, () -> driver.fill(address, value, bytes, handle));
    }

    /** Copies device memory. */
    synchronized void copy(long source, long target, long bytes) {
        put(COPY, () -> driver.copy(source, target, bytes, handle));
    }

    /** Copies page-locked host memory to the device; it has to stay as it is until the stream has been waited for. */
    synchronized void upload(long host, long device, long bytes) {
        put(UPLOAD, () -> driver.upload(host, device, bytes, handle));
    }

    /** Has a library put work into the stream, which it has to have been told of. */
    synchronized void run(Runnable work) {
        put(LIBRARY, work);
    }

    /** Copies device memory to page-locked host memory, which is there after {@link #synchronize}. */
    synchronized void download(long device, long host, long bytes) {
        flush();
        gpu.enter();
        driver.download(device, host, bytes, handle);
    }

    /** Waits until all work is done. */
    synchronized void synchronize() {
        flush();
        gpu.enter();
        driver.synchronize(handle);
    }

    /** Reserves device memory. */
    synchronized long allocate(long bytes) {
        gpu.enter();
        try {
            return driver.allocate(bytes);
        } catch (CudaException e) {
            if (e.status() != CudaException.OUT_OF_MEMORY || freed.isEmpty()) {
                throw e;
            }
            flush();
            return driver.allocate(bytes);
        }
    }

    /** Gives device memory back. */
    synchronized void free(long address) {
        gpu.enter();
        if (capturing) {
            freed.add(address);
        } else {
            driver.free(address);
        }
    }

    /** Does {@code work}; what it puts into the stream is started as a whole where that can be. */
    <T> T together(Supplier<T> work) {
        enterTogether();
        T result;
        try {
            result = work.get();
        } catch (Throwable e) {
            try {
                leaveTogether();
            } catch (RuntimeException also) {
                e.addSuppressed(also);
            }
            throw e;
        }
        leaveTogether();
        return result;
    }

    private synchronized void enterTogether() {
        together++;
    }

    private synchronized void leaveTogether() {
        together--;
        flush();
    }

    private void put(long kind, Runnable work) {
        gpu.enter();
        if (capture()) {
            try {
                work.run();
                captured.add(work);
                kinds = FACTOR * kinds + kind;
                return;
            } catch (RuntimeException e) {
                requireUsable(e);
                abandon();
                goOnWithoutGraphs(e);
            }
        }
        work.run();
    }

    /** Whether what is put into the stream now is captured. */
    private boolean capture() {
        if (!capturing && together > 0 && graphs != null) {
            try {
                graphs.beginCapture(handle);
                capturing = true;
                kinds = 0;
            } catch (CudaException e) {
                requireUsable(e);
                goOnWithoutGraphs(e);
            }
        }
        return capturing;
    }

    /** Starts what has been captured. */
    synchronized void flush() {
        if (!capturing) {
            return;
        }
        gpu.enter();
        capturing = false;
        try {
            graphs.launch(handle, kinds);
        } catch (CudaException e) {
            requireUsable(e);
            goOnWithoutGraphs(e);
            return;
        }
        settle();
    }

    /** Forgets what has been started. */
    private void settle() {
        captured.clear();
        List<Long> unused = List.copyOf(freed);
        freed.clear();
        unused.forEach(driver::free);
    }

    /** Ends a capture that the driver has spoilt. */
    private void abandon() {
        capturing = false;
        try {
            graphs.discard(handle);
        } catch (CudaException e) {
            requireUsable(e);
        }
    }

    private void goOnWithoutGraphs(RuntimeException because) {
        graphs.giveUp(because);
        graphs = null;
        try {
            captured.forEach(Runnable::run);
        } finally {
            settle();
        }
    }

    private static void requireUsable(RuntimeException e) {
        if (e instanceof CudaException cuda && cuda.deviceLost()) {
            throw e;
        }
    }
}
