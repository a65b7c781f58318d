package io.mixt5.ffm.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.invoke.MethodHandle;

/**
 * The driver's functions, with NVIDIA's names and parameters: handles, device addresses and host addresses are longs.
 * All are null where the library could not be opened.
 */
final class Cu {
    static final DriverLibrary LIBRARY = DriverLibrary.open();

    static final MethodHandle INIT = LIBRARY.bind("cuInit", JAVA_INT);
    static final MethodHandle DRIVER_GET_VERSION = LIBRARY.bind("cuDriverGetVersion", JAVA_LONG);
    static final MethodHandle GET_ERROR_NAME = LIBRARY.bind("cuGetErrorName", JAVA_INT, JAVA_LONG);
    static final MethodHandle DEVICE_GET_COUNT = LIBRARY.bind("cuDeviceGetCount", JAVA_LONG);
    static final MethodHandle DEVICE_GET = LIBRARY.bind("cuDeviceGet", JAVA_LONG, JAVA_INT);
    static final MethodHandle DEVICE_GET_NAME = LIBRARY.bind("cuDeviceGetName", JAVA_LONG, JAVA_INT,
            JAVA_INT);
    static final MethodHandle DEVICE_GET_ATTRIBUTE = LIBRARY.bind("cuDeviceGetAttribute", JAVA_LONG,
            JAVA_INT, JAVA_INT);
    static final MethodHandle DEVICE_TOTAL_MEM = LIBRARY.bind("cuDeviceTotalMem_v2", JAVA_LONG, JAVA_INT);
    static final MethodHandle CTX_RETAIN = LIBRARY.bind("cuDevicePrimaryCtxRetain", JAVA_LONG, JAVA_INT);
    static final MethodHandle CTX_RELEASE = LIBRARY.bind("cuDevicePrimaryCtxRelease_v2", JAVA_INT);
    static final MethodHandle CTX_SET_CURRENT = LIBRARY.bind("cuCtxSetCurrent", JAVA_LONG);
    static final MethodHandle MODULE_LOAD = LIBRARY.bind("cuModuleLoadDataEx", JAVA_LONG, JAVA_LONG, JAVA_INT,
            JAVA_LONG, JAVA_LONG);
    static final MethodHandle MODULE_UNLOAD = LIBRARY.bind("cuModuleUnload", JAVA_LONG);
    static final MethodHandle MODULE_GET_FUNCTION = LIBRARY.bind("cuModuleGetFunction", JAVA_LONG, JAVA_LONG,
            JAVA_LONG);
    static final MethodHandle FUNC_SET_ATTRIBUTE = LIBRARY.bind("cuFuncSetAttribute", JAVA_LONG, JAVA_INT,
            JAVA_INT);
    static final MethodHandle MEM_ALLOC = LIBRARY.bind("cuMemAlloc_v2", JAVA_LONG, JAVA_LONG);
    static final MethodHandle MEM_FREE = LIBRARY.bind("cuMemFree_v2", JAVA_LONG);
    static final MethodHandle MEM_GET_INFO = LIBRARY.bind("cuMemGetInfo_v2", JAVA_LONG, JAVA_LONG);
    static final MethodHandle MEM_HOST_ALLOC = LIBRARY.bind("cuMemHostAlloc", JAVA_LONG, JAVA_LONG, JAVA_INT);
    static final MethodHandle MEM_FREE_HOST = LIBRARY.bind("cuMemFreeHost", JAVA_LONG);
    static final MethodHandle MEMSET = LIBRARY.bind("cuMemsetD8Async", JAVA_LONG, JAVA_BYTE, JAVA_LONG,
            JAVA_LONG);
    static final MethodHandle MEMCPY_UP = LIBRARY.bind("cuMemcpyHtoDAsync_v2", JAVA_LONG, JAVA_LONG,
            JAVA_LONG, JAVA_LONG);
    static final MethodHandle MEMCPY_DOWN = LIBRARY.bind("cuMemcpyDtoHAsync_v2", JAVA_LONG, JAVA_LONG,
            JAVA_LONG, JAVA_LONG);
    static final MethodHandle MEMCPY_DEVICE = LIBRARY.bind("cuMemcpyDtoDAsync_v2", JAVA_LONG, JAVA_LONG,
            JAVA_LONG, JAVA_LONG);
    static final MethodHandle STREAM_CREATE = LIBRARY.bind("cuStreamCreate", JAVA_LONG, JAVA_INT);
    static final MethodHandle STREAM_DESTROY = LIBRARY.bind("cuStreamDestroy_v2", JAVA_LONG);
    static final MethodHandle STREAM_SYNCHRONIZE = LIBRARY.bind("cuStreamSynchronize", JAVA_LONG);
    static final MethodHandle STREAM_WAIT_EVENT = LIBRARY.bind("cuStreamWaitEvent", JAVA_LONG, JAVA_LONG,
            JAVA_INT);
    static final MethodHandle EVENT_CREATE = LIBRARY.bind("cuEventCreate", JAVA_LONG, JAVA_INT);
    static final MethodHandle EVENT_DESTROY = LIBRARY.bind("cuEventDestroy_v2", JAVA_LONG);
    static final MethodHandle EVENT_RECORD = LIBRARY.bind("cuEventRecord", JAVA_LONG, JAVA_LONG);
    static final MethodHandle EVENT_SYNCHRONIZE = LIBRARY.bind("cuEventSynchronize", JAVA_LONG);
    static final MethodHandle EVENT_ELAPSED = LIBRARY.bind("cuEventElapsedTime", JAVA_LONG, JAVA_LONG,
            JAVA_LONG);
    static final MethodHandle LAUNCH = LIBRARY.bind("cuLaunchKernel", JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT,
            JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle STREAM_BEGIN_CAPTURE = LIBRARY.bind("cuStreamBeginCapture_v2", JAVA_LONG, JAVA_INT);
    static final MethodHandle STREAM_END_CAPTURE = LIBRARY.bind("cuStreamEndCapture", JAVA_LONG, JAVA_LONG);
    static final MethodHandle GRAPH_INSTANTIATE = LIBRARY.bind("cuGraphInstantiateWithFlags", JAVA_LONG, JAVA_LONG,
            JAVA_LONG);
    static final MethodHandle GRAPH_UPDATE = LIBRARY.bind("cuGraphExecUpdate_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG);
    static final MethodHandle GRAPH_LAUNCH = LIBRARY.bind("cuGraphLaunch", JAVA_LONG, JAVA_LONG);
    static final MethodHandle GRAPH_DESTROY = LIBRARY.bind("cuGraphDestroy", JAVA_LONG);
    static final MethodHandle GRAPH_EXEC_DESTROY = LIBRARY.bind("cuGraphExecDestroy", JAVA_LONG);

    private Cu() {
    }
}
