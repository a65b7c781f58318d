// Copies tokens to the rows of their experts, and sums the rows' gradients token by token; a warp per token.
#include "token_rows.cuh"

// The row of x to the rows of y in the lanes' slots, lane s having that of choice s.
template <typename V, typename T>
__device__ __forceinline__ void copy_row(const T *x, int slot, T *y, int choices, int64_t width) {
    for (int64_t from = 0; from < width; from += WARP * V::SIZE) {
        int64_t i = from + threadIdx.x % WARP * V::SIZE;
        V piece;
        if (i < width) {
            piece.load(x + i);
        }
        for (int s = 0; s < choices; s++) {
            int64_t row = __shfl_sync(ALL_LANES, slot, s);
            if (row >= 0 && i < width) {
                store_whole(piece, y + row * width + i);
            }
        }
    }
}

// There are at most `choices` times as many rows as tokens. The warp of a token also clears, of the rows whose number
// is the token's or that plus a multiple of the number of tokens, those that are not in use.
template <typename V, typename T>
__device__ __forceinline__ void fill_rows(const T *x, const int *slots, const int *owners, T *y, int64_t token,
        int64_t tokens, int64_t rows, int choices, int64_t width) {
    int lane = threadIdx.x % WARP;
    int slot = lane < choices ? slots[token * choices + lane] : -1;
    if (__any_sync(ALL_LANES, slot >= 0)) {
        copy_row<V>(x + token * width, slot, y, choices, width);
    }
    for (int64_t row = token; row < rows; row += tokens) {
        if (read_once(owners, row) < 0) {
            zero_row<V>(y + row * width, width);
        }
    }
}

template <typename T>
__device__ void dispatch_forward(const T *x, const int *slots, const int *owners, T *y, int64_t tokens, int64_t rows,
        int choices, int64_t width) {
    int64_t token = warp_number();
    if (token >= tokens) {
        return;
    }
    if (rows_aligned<T>(width)) {
        fill_rows<Vector<T>>(x, slots, owners, y, token, tokens, rows, choices, width);
    } else {
        fill_rows<Single<T>>(x, slots, owners, y, token, tokens, rows, choices, width);
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

#define FORWARD_PARAMETERS(T) \
    (const T *x, const int *slots, const int *owners, T *y, int64_t tokens, int64_t rows, int choices, int64_t width)
FOR_FLOATS(dispatch_forward, FORWARD_PARAMETERS, (x, slots, owners, y, tokens, rows, choices, width))

#define BACKWARD_PARAMETERS(T) \
    (const T *dy, const int *slots, T *dx, int64_t tokens, int choices, int64_t width, bool accumulate)
FOR_FLOATS(dispatch_backward, BACKWARD_PARAMETERS, (dy, slots, dx, tokens, choices, width, accumulate))
