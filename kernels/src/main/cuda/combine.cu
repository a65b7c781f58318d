// Brings the experts' results back to their tokens, weighted; a warp per token.
#include "token_rows.cuh"

constexpr int MOST_CHOICES = 8;

// y = the weighted sum of the rows of x in the lanes' slots, lane s having slot and weight of choice s.
template <typename V, typename T>
__device__ __forceinline__ void weigh_rows(const T *x, float weight, int slot, T *y, int choices, int64_t width) {
    for (int64_t from = 0; from < width; from += WARP * V::SIZE) {
        int64_t i = from + threadIdx.x % WARP * V::SIZE;
        float sum[V::SIZE] = {};
        for (int s = 0; s < choices; s++) {
            int64_t row = __shfl_sync(ALL_LANES, slot, s);
            float factor = __shfl_sync(ALL_LANES, weight, s);
            if (row >= 0 && i < width) {
                V piece;
                piece.load(x + row * width + i);
#pragma unroll
                for (int j = 0; j < V::SIZE; j++) {
                    sum[j] += factor * to_float(piece.element[j]);
                }
            }
        }
        if (i < width) {
            put_all<V>(y + i, sum, false);
        }
    }
}

template <typename T>
__device__ void combine_forward(const T *x, const float *weights, const int *slots, T *y, int64_t tokens, int choices,
        int64_t width) {
    int64_t token = warp_number();
    if (token >= tokens) {
        return;
    }
    int lane = threadIdx.x % WARP;
    int slot = lane < choices ? slots[token * choices + lane] : -1;
    float weight = slot >= 0 ? weights[token * choices + lane] : 0;
    if (rows_aligned<T>(width)) {
        weigh_rows<Vector<T>>(x, weight, slot, y + token * width, choices, width);
    } else {
        weigh_rows<Single<T>>(x, weight, slot, y + token * width, choices, width);
    }
}

// The rows of dx and the lanes' parts of the weights' gradients, from one reading of the token's dy.
template <typename V, typename T>
__device__ __forceinline__ void spread_row(const T *dy, const T *x, float weight, int slot, T *dx, float *dots,
        int choices, int64_t width, bool accumulate, bool weigh) {
    for (int64_t from = 0; from < width; from += WARP * V::SIZE) {
        int64_t i = from + threadIdx.x % WARP * V::SIZE;
        V gradient;
        if (i < width) {
            gradient.load(dy + i);
        }
        for (int s = 0; s < choices; s++) {
            int64_t row = __shfl_sync(ALL_LANES, slot, s);
            float factor = __shfl_sync(ALL_LANES, weight, s);
            if (row < 0 || i >= width) {
                continue;
            }
            if (weigh) {
                V piece;
                piece.load(x + row * width + i);
                float dot = 0;
#pragma unroll
                for (int j = 0; j < V::SIZE; j++) {
                    dot += to_float(gradient.element[j]) * to_float(piece.element[j]);
                }
                // Selected by hand, since registers have no index.
#pragma unroll
                for (int t = 0; t < MOST_CHOICES; t++) {
                    dots[t] += t == s ? dot : 0;
                }
            }
            if (dx != nullptr) {
                float value[V::SIZE];
#pragma unroll
                for (int j = 0; j < V::SIZE; j++) {
                    value[j] = factor * to_float(gradient.element[j]);
                }
                put_all<V>(dx + row * width + i, value, accumulate);
            }
        }
    }
}

// Either of dx and dweights may be null.
template <typename T>
__device__ void combine_backward(const T *dy, const T *x, const float *weights, const int *slots, T *dx,
        float *dweights, int64_t tokens, int choices, int64_t width, bool accumulate, bool accumulate_weights) {
    int64_t token = warp_number();
    if (token >= tokens) {
        return;
    }
    int lane = threadIdx.x % WARP;
    int slot = lane < choices ? slots[token * choices + lane] : -1;
    float weight = slot >= 0 ? weights[token * choices + lane] : 0;
    float dots[MOST_CHOICES] = {};
    bool weigh = dweights != nullptr;
    if (!__any_sync(ALL_LANES, slot >= 0)) {
        // Nothing to read, and zeros for the weights.
    } else if (rows_aligned<T>(width)) {
        spread_row<Vector<T>>(dy + token * width, x, weight, slot, dx, dots, choices, width, accumulate, weigh);
    } else {
        spread_row<Single<T>>(dy + token * width, x, weight, slot, dx, dots, choices, width, accumulate, weigh);
    }
    if (weigh) {
#pragma unroll
        for (int s = 0; s < MOST_CHOICES; s++) {
            if (s >= choices) {
                break;
            }
            float dot = warp_sum(dots[s]);
            if (lane == s) {
                put(dweights + token * choices + s, dot, accumulate_weights);
            }
        }
    }
}

// Zeros for the rows that have no token.
template <typename T> __device__ void combine_unused(const int *tokens, T *dx, int64_t rows, int64_t width) {
    int64_t row = warp_number();
    if (row >= rows || read_once(tokens, row) >= 0) {
        return;
    }
    if (rows_aligned<T>(width)) {
        zero_row<Vector<T>>(dx + row * width, width);
    } else {
        zero_row<Single<T>>(dx + row * width, width);
    }
}

#define FORWARD_PARAMETERS(T) \
    (const T *x, const float *weights, const int *slots, T *y, int64_t tokens, int choices, int64_t width)
FOR_FLOATS(combine_forward, FORWARD_PARAMETERS, (x, weights, slots, y, tokens, choices, width))

#define BACKWARD_PARAMETERS(T)                                                                                 \
    (const T *dy, const T *x, const float *weights, const int *slots, T *dx, float *dweights, int64_t tokens, \
        int choices, int64_t width, bool accumulate, bool accumulate_weights)
FOR_FLOATS(combine_backward, BACKWARD_PARAMETERS,
    (dy, x, weights, slots, dx, dweights, tokens, choices, width, accumulate, accumulate_weights))

#define UNUSED_PARAMETERS(T) (const int *tokens, T *dx, int64_t rows, int64_t width)
FOR_FLOATS(combine_unused, UNUSED_PARAMETERS, (tokens, dx, rows, width))
