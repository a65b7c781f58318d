// y = residual + dropout(x).
#include "elementwise.cuh"

// The residual may be null.
template <typename T>
__device__ void dropout_add_forward(const T *residual, const T *x, T *y, int64_t n, Dropout dropout) {
    constexpr int SIZE = Vector<T>::SIZE;
    Part<SIZE> part(n);
    float value[SIZE];
    part.load(x, value);
    part.drop(dropout, value);
    if (residual != nullptr) {
        float before[SIZE];
        part.load(residual, before);
#pragma unroll
        for (int j = 0; j < SIZE; j++) {
            value[j] += before[j];
        }
    }
    part.store(value, y);
}

template <typename T>
__device__ void dropout_add_backward(const T *dy, T *dx, int64_t n, bool accumulate, Dropout dropout) {
    constexpr int SIZE = Vector<T>::SIZE;
    Part<SIZE> part(n);
    float value[SIZE];
    part.load(dy, value);
    part.drop(dropout, value);
    part.put(value, dx, accumulate);
}

#define FORWARD(T)                                                                                              \
    (const T *residual, const T *x, T *y, int64_t n, uint64_t seed, uint32_t stream, uint32_t step,            \
     uint32_t threshold, float scale)
FOR_FLOATS(dropout_add_forward, FORWARD, (residual, x, y, n, Dropout{seed, stream, step, threshold, scale}))

#define BACKWARD(T)                                                                                             \
    (const T *dy, T *dx, int64_t n, bool accumulate, uint64_t seed, uint32_t stream, uint32_t step,            \
     uint32_t threshold, float scale)
FOR_FLOATS(dropout_add_backward, BACKWARD, (dy, dx, n, accumulate, Dropout{seed, stream, step, threshold, scale}))
