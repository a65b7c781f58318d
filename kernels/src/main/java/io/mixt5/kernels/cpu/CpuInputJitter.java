package io.mixt5.kernels.cpu;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Jitter;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.InputJitter;

/** {@link InputJitter} on the CPU, in blocks whose random numbers are drawn just before and still in the cache. */
public final class CpuInputJitter extends F32Kernel implements InputJitter.Kernel {
    private static final int BLOCK = 2048;
    private static final int UNIFORMS = Scratch.newSlot();

    @Override
    public void multiply(Tensor x, Jitter jitter, Target y) {
        long xAddress = x.address();
        long yAddress = y.tensor().address();
        float low = 1 - jitter.eps();
        float range = 2 * jitter.eps();
        Chunks.forEach(x.count(), (first, count, worker) -> {
            long uniforms = Scratch.get(UNIFORMS, (long) Float.BYTES * (BLOCK + VectorPhilox.GROUP));
            for (long from = first; from < first + count; from += BLOCK) {
                int n = (int) Math.min(BLOCK, first + count - from);
                VectorPhilox.uniforms(jitter.stream(), from, n, uniforms);
                Elementwise.run(new long[]{xAddress + 4 * from, uniforms}, new long[]{yAddress + 4 * from}, n,
                        (in, out, length) -> multiply(in[0], in[1], low, range, out[0], y.accumulate(), length));
            }
        });
    }

    private static void multiply(long x, long uniforms, float low, float range, long y, boolean accumulate, int n) {
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            var factor = Floats.load(uniforms + 4L * i).fma(Floats.all(range), Floats.all(low));
            Floats.put(y + 4L * i, Floats.load(x + 4L * i).mul(factor), accumulate);
        }
    }
}
