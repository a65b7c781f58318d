package io.mixt5.ffm.cuda;

/**
 * What a CUresult means to people: its name in NVIDIA's cuda.h, and what to do about it where that is known. The
 * names here are those that this project makes or explains; a driver knows all of its own.
 */
final class CudaStatus {
    static final int SUCCESS = 0;
    private static final int NOT_INITIALIZED = 3;
    private static final int STUB_LIBRARY = 34;
    private static final int ECC_UNCORRECTABLE = 214;
    private static final int NO_BINARY_FOR_GPU = 209;
    private static final int NVLINK_UNCORRECTABLE = 220;
    private static final int LAUNCH_OUT_OF_RESOURCES = 701;
    private static final int LAUNCH_TIMEOUT = 702;
    private static final int ASSERT = 710;
    private static final int HARDWARE_STACK_ERROR = 714;
    private static final int ILLEGAL_INSTRUCTION = 715;
    private static final int MISALIGNED_ADDRESS = 716;
    private static final int INVALID_ADDRESS_SPACE = 717;
    private static final int INVALID_PC = 718;
    private static final int SYSTEM_NOT_READY = 802;
    private static final int SYSTEM_DRIVER_MISMATCH = 803;
    private static final int COMPAT_NOT_SUPPORTED = 804;
    private static final int UNKNOWN = 999;

    private CudaStatus() {
    }

    /** The status's name, such as {@code CUDA_ERROR_OUT_OF_MEMORY}, or {@code status 77} for one not named here. */
    static String name(int status) {
        String name = switch (status) {
            case CudaException.INVALID_VALUE -> "INVALID_VALUE";
            case CudaException.OUT_OF_MEMORY -> "OUT_OF_MEMORY";
            case NOT_INITIALIZED -> "NOT_INITIALIZED";
            case STUB_LIBRARY -> "STUB_LIBRARY";
            case CudaException.NO_DEVICE -> "NO_DEVICE";
            case CudaException.INVALID_DEVICE -> "INVALID_DEVICE";
            case CudaException.INVALID_CONTEXT -> "INVALID_CONTEXT";
            case NO_BINARY_FOR_GPU -> "NO_BINARY_FOR_GPU";
            case ECC_UNCORRECTABLE -> "ECC_UNCORRECTABLE";
            case CudaException.INVALID_PTX -> "INVALID_PTX";
            case NVLINK_UNCORRECTABLE -> "NVLINK_UNCORRECTABLE";
            case CudaException.UNSUPPORTED_PTX_VERSION -> "UNSUPPORTED_PTX_VERSION";
            case CudaException.INVALID_HANDLE -> "INVALID_HANDLE";
            case CudaException.NOT_FOUND -> "NOT_FOUND";
            case CudaException.ILLEGAL_ADDRESS -> "ILLEGAL_ADDRESS";
            case LAUNCH_OUT_OF_RESOURCES -> "LAUNCH_OUT_OF_RESOURCES";
            case LAUNCH_TIMEOUT -> "LAUNCH_TIMEOUT";
            case ASSERT -> "ASSERT";
            case HARDWARE_STACK_ERROR -> "HARDWARE_STACK_ERROR";
            case ILLEGAL_INSTRUCTION -> "ILLEGAL_INSTRUCTION";
            case MISALIGNED_ADDRESS -> "MISALIGNED_ADDRESS";
            case INVALID_ADDRESS_SPACE -> "INVALID_ADDRESS_SPACE";
            case INVALID_PC -> "INVALID_PC";
            case CudaException.LAUNCH_FAILED -> "LAUNCH_FAILED";
            case CudaException.NOT_SUPPORTED -> "NOT_SUPPORTED";
            case CudaException.STREAM_CAPTURE_UNSUPPORTED -> "STREAM_CAPTURE_UNSUPPORTED";
            case CudaException.STREAM_CAPTURE_INVALIDATED -> "STREAM_CAPTURE_INVALIDATED";
            case CudaException.STREAM_CAPTURE_UNMATCHED -> "STREAM_CAPTURE_UNMATCHED";
            case CudaException.STREAM_CAPTURE_WRONG_THREAD -> "STREAM_CAPTURE_WRONG_THREAD";
            case CudaException.GRAPH_EXEC_UPDATE_FAILURE -> "GRAPH_EXEC_UPDATE_FAILURE";
            case SYSTEM_NOT_READY -> "SYSTEM_NOT_READY";
            case SYSTEM_DRIVER_MISMATCH -> "SYSTEM_DRIVER_MISMATCH";
            case COMPAT_NOT_SUPPORTED -> "COMPAT_NOT_SUPPORTED_ON_DEVICE";
            case UNKNOWN -> "UNKNOWN";
            default -> null;
        };
        return name == null ? "status " + status : "CUDA_ERROR_" + name;
    }

    /** Whether nothing more can be done with the device in this process: its context stays in error. */
    static boolean losesDevice(int status) {
        return switch (status) {
            case ECC_UNCORRECTABLE, NVLINK_UNCORRECTABLE, CudaException.ILLEGAL_ADDRESS, LAUNCH_TIMEOUT, ASSERT,
                    HARDWARE_STACK_ERROR, ILLEGAL_INSTRUCTION, MISALIGNED_ADDRESS, INVALID_ADDRESS_SPACE, INVALID_PC,
                    CudaException.LAUNCH_FAILED ->
                true;
            default -> false;
        };
    }

    /** What to do about a status, as the end of a sentence; empty where nothing general is known. */
    static String advice(int status) {
        if (losesDevice(status)) {
            return "; the device is lost to this process, start it again from the last checkpoint (an earlier kernel "
                    + "may be the one at fault: CUDA_LAUNCH_BLOCKING=1 in the environment tells)";
        }
        return switch (status) {
            case CudaException.OUT_OF_MEMORY -> "; use smaller batches or a shorter context, or end what else uses "
                    + "the device";
            case CudaException.UNSUPPORTED_PTX_VERSION -> "; NVIDIA's driver is too old for it, install a newer one";
            case CudaException.INVALID_PTX, NO_BINARY_FOR_GPU -> "; the device or the driver does not know what the "
                    + "kernel was compiled for";
            case LAUNCH_OUT_OF_RESOURCES -> "; the kernel wants more registers or shared memory a block than the "
                    + "device has";
            case CudaException.NO_DEVICE -> "; the machine has no NVIDIA GPU, or CUDA_VISIBLE_DEVICES hides it";
            case STUB_LIBRARY -> "; that is the toolkit's stub and not the driver, take it off LD_LIBRARY_PATH";
            case SYSTEM_DRIVER_MISMATCH -> "; the kernel module is of another driver than the library, restart the "
                    + "machine";
            case SYSTEM_NOT_READY -> "; the machine's fabric manager or another of NVIDIA's services does not run";
            case COMPAT_NOT_SUPPORTED -> "; CUDA's compatibility libraries do not serve this GPU, take them off "
                    + "LD_LIBRARY_PATH";
            case UNKNOWN -> "; see that the kernel module nvidia_uvm is loaded and that this user may open "
                    + "/dev/nvidia*";
            default -> "";
        };
    }
}
