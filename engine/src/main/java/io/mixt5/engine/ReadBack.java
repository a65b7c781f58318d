package io.mixt5.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Reads several small tensors of a device at once, so that the host waits for it a single time. */
public final class ReadBack {
    private ReadBack() {
    }

    /** The content of each tensor, of any type, all on one device; nothing is read for no tensors. */
    public static List<double[]> of(List<Tensor> tensors) {
        List<double[]> values = new ArrayList<>();
        if (tensors.isEmpty()) {
            return values;
        }
        try (Tensor together = together(tensors); Arena arena = Arena.ofConfined()) {
            MemorySegment host = together.toHost(arena);
            long at = host.address();
            for (Tensor tensor : tensors) {
                double[] content = new double[Math.toIntExact(tensor.count())];
                for (int i = 0; i < content.length; i++, at += tensor.dtype().bytes()) {
                    content[i] = tensor.dtype().load(at);
                }
                values.add(content);
            }
        }
        return values;
    }

    /** One tensor with the bytes of all. */
    private static Tensor together(List<Tensor> tensors) {
        Device device = tensors.getFirst().device();
        long bytes = tensors.stream().mapToLong(Tensor::bytes).sum();
        Tensor together = new Tensor(device, DType.I32, Shape.of(Math.ceilDiv(bytes, Integer.BYTES)), "read back");
        long at = together.address();
        for (Tensor tensor : tensors) {
            device.backend().copy(tensor.address(), at, tensor.bytes());
            at += tensor.bytes();
        }
        return together;
    }
}
