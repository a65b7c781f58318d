// y = x * factor, where factor i is low + range * (number i of the stream, in [0, 1)), as io.mixt5.engine.Jitter has
// it.
#include "elementwise.cuh"

template <typename T>
__device__ void input_jitter(const T *x, T *y, int64_t n, bool accumulate, float low, float range, uint64_t seed,
                             uint32_t stream, uint32_t step) {
    constexpr int SIZE = Vector<T>::SIZE;
    Part<SIZE> part(n);
    float value[SIZE];
    part.load(x, value);
#pragma unroll
    for (int j = 0; j < SIZE; j += 4) {
        uint4 bits = philox(seed, stream, step, (part.first + j) >> 2);
#pragma unroll
        for (int k = 0; k < 4; k++) {
            value[j + k] *= fmaf(range, (word(bits, k) >> 8) * 0x1p-24f, low);
        }
    }
    part.put(value, y, accumulate);
}

#define PARAMETERS(T)                                                                                           \
    (const T *x, T *y, int64_t n, bool accumulate, float low, float range, uint64_t seed, uint32_t stream,     \
     uint32_t step)
FOR_FLOATS(input_jitter, PARAMETERS, (x, y, n, accumulate, low, range, seed, stream, step))
