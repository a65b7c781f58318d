// y = factor * x.
#include "elementwise.cuh"

template <typename T> __device__ void scale(const T *x, float factor, T *y, int64_t n, bool accumulate) {
    constexpr int SIZE = Vector<T>::SIZE;
    Part<SIZE> part(n);
    float value[SIZE];
    part.load(x, value);
#pragma unroll
    for (int j = 0; j < SIZE; j++) {
        value[j] *= factor;
    }
    part.put(value, y, accumulate);
}

#define PARAMETERS(T) (const T *x, float factor, T *y, int64_t n, bool accumulate)
FOR_FLOATS(scale, PARAMETERS, (x, factor, y, n, accumulate))
