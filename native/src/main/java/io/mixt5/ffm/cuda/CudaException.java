package io.mixt5.ffm.cuda;

/** A call of the driver API that failed: which one, with what status, and what it was about. */
public final class CudaException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** CUDA_ERROR_INVALID_VALUE. */
    public static final int INVALID_VALUE = 1;
    /** CUDA_ERROR_OUT_OF_MEMORY. */
    public static final int OUT_OF_MEMORY = 2;
    /** CUDA_ERROR_NO_DEVICE. */
    public static final int NO_DEVICE = 100;
    /** CUDA_ERROR_INVALID_DEVICE. */
    public static final int INVALID_DEVICE = 101;
    /** CUDA_ERROR_INVALID_CONTEXT. */
    public static final int INVALID_CONTEXT = 201;
    /** CUDA_ERROR_INVALID_PTX. */
    public static final int INVALID_PTX = 218;
    /** CUDA_ERROR_UNSUPPORTED_PTX_VERSION. */
    public static final int UNSUPPORTED_PTX_VERSION = 222;
    /** CUDA_ERROR_INVALID_HANDLE. */
    public static final int INVALID_HANDLE = 400;
    /** CUDA_ERROR_NOT_FOUND. */
    public static final int NOT_FOUND = 500;
    /** CUDA_ERROR_ILLEGAL_ADDRESS; the context is lost. */
    public static final int ILLEGAL_ADDRESS = 700;
    /** CUDA_ERROR_LAUNCH_FAILED; the context is lost. */
    public static final int LAUNCH_FAILED = 719;
    /** CUDA_ERROR_NOT_SUPPORTED. */
    public static final int NOT_SUPPORTED = 801;
    /** CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED: not while a stream is being captured, which ends the capture. */
    public static final int STREAM_CAPTURE_UNSUPPORTED = 900;
    /** CUDA_ERROR_STREAM_CAPTURE_INVALIDATED. */
    public static final int STREAM_CAPTURE_INVALIDATED = 901;
    /** CUDA_ERROR_STREAM_CAPTURE_UNMATCHED: the stream is not being captured. */
    public static final int STREAM_CAPTURE_UNMATCHED = 903;
    /** CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD. */
    public static final int STREAM_CAPTURE_WRONG_THREAD = 908;
    /** CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE: the executable graph is of another kind than the graph. */
    public static final int GRAPH_EXEC_UPDATE_FAILURE = 910;

    private final int status;
    private final String call;

    /**
     * Of one call.
     *
     * @param status the CUresult, not 0
     * @param call the driver's function, such as {@code cuLaunchKernel}
     * @param about what failed and with what arguments, and what to do where that is known
     */
    public CudaException(int status, String call, String about) {
        this(status, CudaStatus.name(status), call, about);
    }

    /** Of one call whose status the driver calls {@code name}. */
    CudaException(int status, String name, String call, String about) {
        super(call + " failed with " + name + ": " + about);
        this.status = status;
        this.call = call;
    }

    /** The CUresult. */
    public int status() {
        return status;
    }

    /** The driver's function. */
    public String call() {
        return call;
    }

    /** Whether the device is lost to this process: every later call on its context fails with the same status. */
    public boolean deviceLost() {
        return CudaStatus.losesDevice(status);
    }
}
