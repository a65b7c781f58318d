// y = a + b, and y += x for gradients.
#include "common.cuh"

template <typename T> __device__ void add_forward(const T *a, const T *b, T *y, int64_t n) {
    constexpr int SIZE = Vector<T>::SIZE;
    int64_t i = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) * SIZE;
    if (i + SIZE <= n) {
        Vector<T> va, vb;
        va.load(a + i);
        vb.load(b + i);
#pragma unroll
        for (int j = 0; j < SIZE; j++) {
            va.element[j] = from_float<T>(to_float(va.element[j]) + to_float(vb.element[j]));
        }
        va.store(y + i);
    } else {
        for (; i < n; i++) {
            y[i] = from_float<T>(to_float(a[i]) + to_float(b[i]));
        }
    }
}

#define PARAMETERS(T) (const T *a, const T *b, T *y, int64_t n)
FOR_FLOATS(add_forward, PARAMETERS, (a, b, y, n))
