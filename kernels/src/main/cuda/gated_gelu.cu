// y = dropout(gelu_new(gate) * up).
//
// Since (1 + tanh(u)) / 2 = s(2u), the logistic function, gelu_new(x) = x s(2u) with
// u = sqrt(2 / pi) (x + 0.044715 x^3): one exponential and one division.
#include "elementwise.cuh"

// 2u = x (LINEAR + CUBIC x^2).
constexpr float LINEAR = 1.5957691216057308f;
constexpr float CUBIC = 0.07135481627260025f;

// s(2u).
__device__ __forceinline__ float logistic(float x) { return 1.f / (1.f + expf(-x * fmaf(CUBIC, x * x, LINEAR))); }

// The derivative of gelu_new, s + x s (1 - s) (2u)', from s = s(2u).
__device__ __forceinline__ float slope(float x, float s) {
    return fmaf(x * fmaf(3 * CUBIC, x * x, LINEAR) * (1 - s), s, s);
}

template <typename T>
__device__ void gated_gelu_forward(const T *gate, const T *up, T *y, int64_t n, Dropout dropout) {
    constexpr int SIZE = Vector<T>::SIZE;
    Part<SIZE> part(n);
    float x[SIZE], value[SIZE];
    part.load(gate, x);
    part.load(up, value);
#pragma unroll
    for (int j = 0; j < SIZE; j++) {
        value[j] *= x[j] * logistic(x[j]);
    }
    part.drop(dropout, value);
    part.store(value, y);
}

// Either target may be null.
template <typename T>
__device__ void gated_gelu_backward(const T *gate, const T *up, const T *dy, T *dgate, bool add_gate, T *dup,
                                    bool add_up, int64_t n, Dropout dropout) {
    constexpr int SIZE = Vector<T>::SIZE;
    Part<SIZE> part(n);
    float x[SIZE], d[SIZE], s[SIZE], value[SIZE];
    part.load(gate, x);
    part.load(dy, d);
    part.drop(dropout, d);
#pragma unroll
    for (int j = 0; j < SIZE; j++) {
        s[j] = logistic(x[j]);
    }
    if (dgate != nullptr) {
        part.load(up, value);
#pragma unroll
        for (int j = 0; j < SIZE; j++) {
            value[j] *= d[j] * slope(x[j], s[j]);
        }
        part.put(value, dgate, add_gate);
    }
    if (dup != nullptr) {
#pragma unroll
        for (int j = 0; j < SIZE; j++) {
            value[j] = d[j] * x[j] * s[j];
        }
        part.put(value, dup, add_up);
    }
}

#define FORWARD(T)                                                                                              \
    (const T *gate, const T *up, T *y, int64_t n, uint64_t seed, uint32_t stream, uint32_t step,               \
     uint32_t threshold, float scale)
FOR_FLOATS(gated_gelu_forward, FORWARD, (gate, up, y, n, Dropout{seed, stream, step, threshold, scale}))

#define BACKWARD(T)                                                                                             \
    (const T *gate, const T *up, const T *dy, T *dgate, bool add_gate, T *dup, bool add_up, int64_t n,         \
     uint64_t seed, uint32_t stream, uint32_t step, uint32_t threshold, float scale)
FOR_FLOATS(gated_gelu_backward, BACKWARD,
           (gate, up, dy, dgate, add_gate, dup, add_up, n, Dropout{seed, stream, step, threshold, scale}))
