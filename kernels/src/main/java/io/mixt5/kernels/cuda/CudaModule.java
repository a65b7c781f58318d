package io.mixt5.kernels.cuda;

import io.mixt5.ffm.cuda.CudaDriver;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;

/** The kernels of one PTX file, {@code ptx/NAME.ptx} or the newest {@code ptx/NAME.sm_XX.ptx} that the device takes. */
final class CudaModule {
    private static final int[] TARGETS = {90, 80};

    private final CudaGpu gpu;
    private final String file;
    private final long handle;
    private final Map<String, Function> functions = new HashMap<>();
    /** The dynamic shared memory that the driver has been told of. */
    private final Map<String, Integer> shared = new HashMap<>();

    /**
     * One kernel.
     *
     * @param handle the driver's
     * @param name for messages
     */
    record Function(long handle, String name) {
    }

    CudaModule(CudaGpu gpu, String name) {
        this.gpu = gpu;
        file = file(name, gpu.capability());
        try (Arena arena = Arena.ofConfined(); InputStream stream = CudaModule.class.getResourceAsStream(file)) {
            byte[] text = stream.readAllBytes();
            MemorySegment ptx = arena.allocate(text.length + 1L);
            MemorySegment.copy(text, 0, ptx, ValueLayout.JAVA_BYTE, 0, text.length);
            handle = gpu.driver().loadModule(ptx, file.substring(1));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String file(String name, int capability) {
        for (int target : TARGETS) {
            String file = "/ptx/" + name + ".sm_" + target + ".ptx";
            if (capability >= target && CudaModule.class.getResource(file) != null) {
                return file;
            }
        }
        String file = "/ptx/" + name + ".ptx";
        if (CudaModule.class.getResource(file) == null) {
            throw new IllegalStateException("there is no " + file + "; make it by src/main/cuda/compile.sh " + name);
        }
        return file;
    }

    /** The kernel {@code name}. */
    synchronized Function function(String name) {
        return functions.computeIfAbsent(name, key -> new Function(gpu.driver().function(handle, key), key));
    }

    /** The kernel {@code name}, whose blocks may have up to {@code bytes} of dynamic shared memory. */
    synchronized Function function(String name, int bytes) {
        Function function = function(name);
        if (bytes > shared.getOrDefault(name, 0)) {
            gpu.driver().setFunctionAttribute(function.handle, CudaDriver.FUNCTION_DYNAMIC_SHARED_BYTES, bytes);
            shared.put(name, bytes);
        }
        return function;
    }
}
