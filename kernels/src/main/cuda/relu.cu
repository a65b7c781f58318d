// y = dropout(max(x, 0)).
#include "elementwise.cuh"

template <typename T> __device__ void relu_forward(const T *x, T *y, int64_t n, Dropout dropout) {
    constexpr int SIZE = Vector<T>::SIZE;
    Part<SIZE> part(n);
    float value[SIZE];
    part.load(x, value);
#pragma unroll
    for (int j = 0; j < SIZE; j++) {
        // A NaN stays one, as fmaxf would not have it.
        value[j] = value[j] <= 0 ? 0 : value[j];
    }
    part.drop(dropout, value);
    part.store(value, y);
}

template <typename T>
__device__ void relu_backward(const T *x, const T *dy, T *dx, int64_t n, bool accumulate, Dropout dropout) {
    constexpr int SIZE = Vector<T>::SIZE;
    Part<SIZE> part(n);
    float value[SIZE], gradient[SIZE];
    part.load(x, value);
    part.load(dy, gradient);
    part.drop(dropout, gradient);
#pragma unroll
    for (int j = 0; j < SIZE; j++) {
        gradient[j] = value[j] > 0 ? gradient[j] : 0;
    }
    part.put(gradient, dx, accumulate);
}

#define FORWARD(T)                                                                                             \
    (const T *x, T *y, int64_t n, uint64_t seed, uint32_t stream, uint32_t step, uint32_t threshold, float scale)
FOR_FLOATS(relu_forward, FORWARD, (x, y, n, Dropout{seed, stream, step, threshold, scale}))

#define BACKWARD(T)                                                                                              \
    (const T *x, const T *dy, T *dx, int64_t n, bool accumulate, uint64_t seed, uint32_t stream, uint32_t step, \
     uint32_t threshold, float scale)
FOR_FLOATS(relu_backward, BACKWARD, (x, dy, dx, n, accumulate, Dropout{seed, stream, step, threshold, scale}))
