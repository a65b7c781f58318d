package io.mixt5.kernels.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What the router reports from within a step, in which nothing is read back: the first token whose logits have no
 * softmax. Looked at whenever the host waits for the device anyway.
 */
final class RouterFault {
    /** No fault: kernels take the minimum with a token's number. */
    private static final int NONE = Integer.MAX_VALUE;

    private final CudaGpu gpu;
    private final long address;
    private final MemorySegment host;
    private boolean watched;

    RouterFault(CudaGpu gpu) {
        this.gpu = gpu;
        address = gpu.driver().allocate(Integer.BYTES);
        host = gpu.pinned(Integer.BYTES);
        clear();
    }

    /** Where a kernel puts the number of such a token by an atomic minimum; it is looked at from now on. */
    synchronized long address() {
        watched = true;
        return address;
    }

    /** Called when the device is idle. */
    synchronized void check() {
        if (!watched) {
            return;
        }
        watched = false;
        gpu.stream().download(address, host.address(), Integer.BYTES);
        gpu.synchronize();
        int token = host.get(ValueLayout.JAVA_INT, 0);
        if (token != NONE) {
            clear();
            throw new ArithmeticException("the router's logits of token " + token
                    + " have no softmax, their log-sum-exp not being finite");
        }
    }

    private void clear() {
        host.set(ValueLayout.JAVA_INT, 0, NONE);
        gpu.stream().upload(host.address(), address, Integer.BYTES);
        gpu.synchronize();
    }
}
