// Copies tokens to the rows of their experts, and sums the rows' gradients token by token; a warp per row written.
#include "token_rows.cuh"

template <typename V, typename T>
__device__ __forceinline__ void copy_row(const T *x, int64_t token, T *y, int64_t width) {
    if (token < 0) {
        zero_row<V>(y, width);
        return;
    }
    for (int64_t i = threadIdx.x % WARP * V::SIZE; i < width; i += WARP * V::SIZE) {
        V piece;
        piece.load(x + token * width + i);
        piece.store(y + i);
    }
}

template <typename T>
__device__ void dispatch_forward(const T *x, const int *tokens, T *y, int64_t rows, int64_t width) {
    int64_t row = warp_number();
    if (row >= rows) {
        return;
    }
    int token = read_once(tokens, row);
    if (rows_aligned<T>(width)) {
        copy_row<Vector<T>>(x, token, y + row * width, width);
    } else {
        copy_row<Single<T>>(x, token, y + row * width, width);
    }
}

// dx = the sum of the rows of dy in the lanes' slots, lane s having that of choice s.
template <typename V, typename T>
__device__ __forceinline__ void sum_rows(const T *dy, int slot, T *dx, int choices, int64_t width, bool accumulate) {
    for (int64_t from = 0; from < width; from += WARP * V::SIZE) {
        int64_t i = from + threadIdx.x % WARP * V::SIZE;
        float sum[V::SIZE] = {};
        for (int s = 0; s < choices; s++) {
            int64_t row = __shfl_sync(ALL_LANES, slot, s);
            if (row >= 0 && i < width) {
                V piece;
                piece.load(dy + row * width + i);
#pragma unroll
                for (int j = 0; j < V::SIZE; j++) {
                    sum[j] += to_float(piece.element[j]);
                }
            }
        }
        if (i < width) {
            put_all<V>(dx + i, sum, accumulate);
        }
    }
}

template <typename T>
__device__ void dispatch_backward(const T *dy, const int *slots, T *dx, int64_t tokens, int choices, int64_t width,
        bool accumulate) {
    int64_t token = warp_number();
    if (token >= tokens) {
        return;
    }
    int lane = threadIdx.x % WARP;
    int slot = lane < choices ? slots[token * choices + lane] : -1;
    if (accumulate && !__any_sync(ALL_LANES, slot >= 0)) {
        return;
    }
    if (rows_aligned<T>(width)) {
        sum_rows<Vector<T>>(dy, slot, dx + token * width, choices, width, accumulate);
    } else {
        sum_rows<Single<T>>(dy, slot, dx + token * width, choices, width, accumulate);
    }
}

#define FORWARD_PARAMETERS(T) (const T *x, const int *tokens, T *y, int64_t rows, int64_t width)
FOR_FLOATS(dispatch_forward, FORWARD_PARAMETERS, (x, tokens, y, rows, width))

#define BACKWARD_PARAMETERS(T) \
    (const T *dy, const int *slots, T *dx, int64_t tokens, int choices, int64_t width, bool accumulate)
FOR_FLOATS(dispatch_backward, BACKWARD_PARAMETERS, (dy, slots, dx, tokens, choices, width, accumulate))
