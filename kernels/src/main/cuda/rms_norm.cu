// y = w * x / sqrt(mean(x^2) + eps), a warp to a row.
//
// A block takes `each` rows, so that the weight is read once for many of them. Each lane keeps what it has read of a
// row in shared memory, so that x and dy are read once; rows that do not fit there (KEPT false) are read twice.
//
// The weight's gradient is summed up in float: by each warp over its rows, then over the warps of a block, then over
// the blocks, always in the same order. Those sums lie in the order of `sum_column`, so that lanes meet different banks.
#include "rows.cuh"

extern __shared__ uint4 shared[];

constexpr int SLICES = 8;

// The column whose sum is number i, where lanes take `width` columns at once.
__device__ __forceinline__ int64_t sum_column(int64_t i, int width) {
    int step = WARP * width;
    return i / step * step + i % WARP * width + i % step / WARP;
}

template <int WIDTH> __device__ __forceinline__ int64_t first_column() {
    return static_cast<int64_t>(threadIdx.x % WARP) * WIDTH;
}

// The rows of a block, which its warps take in turn.
struct BlockRows {
    int64_t first, end;
    int warp, warps;

    __device__ __forceinline__ BlockRows(int64_t rows, int each)
        : first(static_cast<int64_t>(blockIdx.x) * each),
          end(min(first + each, rows)),
          warp(threadIdx.x / WARP),
          warps(blockDim.x / WARP) {}
};

template <bool KEPT> struct Norm {
    // Shared memory, when rows are kept: the weight; a row for each warp.
    template <typename T, int WIDTH>
    static __device__ __forceinline__ void forward(const T *x, const T *weight, float eps, T *y, float *inverse,
                                                   int64_t columns, const BlockRows &rows) {
        constexpr int STEP = WARP * WIDTH;
        T *weights = reinterpret_cast<T *>(shared);
        T *kept = weights + (1 + rows.warp) * columns;
        if (KEPT) {
            copy_row<T, WIDTH>(weight, weights, columns);
            __syncthreads();
        }
        for (int64_t row = rows.first + rows.warp; row < rows.end; row += rows.warps) {
            const T *from = x + row * columns;
            float squares = 0;
#pragma unroll 4
            for (int64_t i = first_column<WIDTH>(); i < columns; i += STEP) {
                Wide<T, WIDTH> wide = load_wide<T, WIDTH>(from + i);
                float value[WIDTH];
                unpack<T, WIDTH>(wide, value);
                if (KEPT) {
                    store_wide<T, WIDTH>(wide, kept + i);
                }
#pragma unroll
                for (int j = 0; j < WIDTH; j++) {
                    squares = fmaf(value[j], value[j], squares);
                }
            }
            float r = rsqrtf(warp_sum(squares) / columns + eps);
            for (int64_t i = first_column<WIDTH>(); i < columns; i += STEP) {
                float value[WIDTH], w[WIDTH];
                load<T, WIDTH>(KEPT ? kept + i : from + i, value);
                load<T, WIDTH>(KEPT ? weights + i : weight + i, w);
#pragma unroll
                for (int j = 0; j < WIDTH; j++) {
                    value[j] *= r * w[j];
                }
                store<T, WIDTH>(value, y + row * columns + i);
            }
            if (threadIdx.x % WARP == 0) {
                inverse[row] = r;
            }
        }
    }

    // Shared memory, when rows are kept: the sums of each warp; the weight; a row of x and one of dy for each warp.
    // Otherwise there is one warp, which sums up in its row of `partial` at once.
    // Without `partial` there are no sums.
    template <typename T, int WIDTH>
    static __device__ __forceinline__ void backward(const T *x, const T *weight, const float *inverse, const T *dy,
                                                    T *dx, bool accumulate, float *partial, int64_t sums,
                                                    int64_t columns, const BlockRows &rows) {
        constexpr int STEP = WARP * WIDTH;
        int lane = threadIdx.x % WARP;
        float *all_sums = reinterpret_cast<float *>(shared);
        T *weights = reinterpret_cast<T *>(all_sums + rows.warps * sums);
        T *kept_x = weights + (1 + 2 * rows.warp) * columns;
        T *kept_dy = kept_x + columns;
        float *to = partial + blockIdx.x * sums;
        float *sum = KEPT ? all_sums + rows.warp * sums : to;
        if (KEPT) {
            copy_row<T, WIDTH>(weight, weights, columns);
        }
        if (partial != nullptr) {
            for (int64_t i = lane; i < sums; i += WARP) {
                sum[i] = 0;
            }
        }
        __syncthreads();
        for (int64_t row = rows.first + rows.warp; row < rows.end; row += rows.warps) {
            const T *x_row = x + row * columns;
            const T *dy_row = dy + row * columns;
            float r = __shfl_sync(ALL_LANES, lane == 0 ? inverse[row] : 0, 0);
            float dot = 0;
#pragma unroll 2
            for (int64_t i = first_column<WIDTH>(), s = lane; i < columns; i += STEP, s += STEP) {
                Wide<T, WIDTH> wide_x = load_wide<T, WIDTH>(x_row + i);
                Wide<T, WIDTH> wide_dy = load_wide<T, WIDTH>(dy_row + i);
                float value[WIDTH], d[WIDTH], w[WIDTH];
                unpack<T, WIDTH>(wide_x, value);
                unpack<T, WIDTH>(wide_dy, d);
                load<T, WIDTH>(KEPT ? weights + i : weight + i, w);
                if (KEPT) {
                    store_wide<T, WIDTH>(wide_x, kept_x + i);
                    store_wide<T, WIDTH>(wide_dy, kept_dy + i);
                }
#pragma unroll
                for (int j = 0; j < WIDTH; j++) {
                    float product = d[j] * value[j];
                    dot = fmaf(product, w[j], dot);
                    if (partial != nullptr) {
                        sum[s + j * WARP] += product * r;
                    }
                }
            }
            if (dx != nullptr) {
                float common = r * r * warp_sum(dot) / columns;
                for (int64_t i = first_column<WIDTH>(); i < columns; i += STEP) {
                    float value[WIDTH], d[WIDTH], w[WIDTH];
                    load<T, WIDTH>(KEPT ? kept_x + i : x_row + i, value);
                    load<T, WIDTH>(KEPT ? kept_dy + i : dy_row + i, d);
                    load<T, WIDTH>(KEPT ? weights + i : weight + i, w);
#pragma unroll
                    for (int j = 0; j < WIDTH; j++) {
                        d[j] = r * (d[j] * w[j] - value[j] * common);
                    }
                    put<T, WIDTH>(d, dx + row * columns + i, accumulate);
                }
            }
        }
        if (KEPT && partial != nullptr) {
            __syncthreads();
            for (int64_t i = threadIdx.x; i < sums; i += blockDim.x) {
                float total = 0;
                for (int warp = 0; warp < rows.warps; warp++) {
                    total += all_sums[warp * sums + i];
                }
                to[i] = total;
            }
        }
    }
};

template <typename T>
__device__ __forceinline__ void rms_norm_forward(const T *x, const T *weight, float eps, T *y, float *inverse,
                                                 int64_t count, int64_t columns, int each, bool kept) {
    BlockRows rows(count, each);
    if (kept) {
        FOR_WIDTH(Norm<true>::forward, T, columns, (x, weight, eps, y, inverse, columns, rows))
    } else {
        FOR_WIDTH(Norm<false>::forward, T, columns, (x, weight, eps, y, inverse, columns, rows))
    }
}

// The gradient of x, and for each block a row of `sums` sums for the weight's; dx or partial may be null.
template <typename T>
__device__ __forceinline__ void rms_norm_backward(const T *x, const T *weight, const float *inverse, const T *dy, T *dx,
                                                  bool accumulate, float *partial, int64_t sums, int64_t count,
                                                  int64_t columns, int each, bool kept) {
    BlockRows rows(count, each);
    if (kept) {
        FOR_WIDTH(Norm<true>::backward, T, columns,
                  (x, weight, inverse, dy, dx, accumulate, partial, sums, columns, rows))
    } else {
        FOR_WIDTH(Norm<false>::backward, T, columns,
                  (x, weight, inverse, dy, dx, accumulate, partial, sums, columns, rows))
    }
}

// Adds up the blocks' sums; a block takes 32 of them, warp s every SLICES-th row from s.
template <typename T>
__device__ __forceinline__ void rms_norm_weight(const float *partial, int64_t blocks, int64_t sums, int width,
                                                T *dweight, int64_t columns, bool accumulate) {
    __shared__ float slices[SLICES][WARP];
    int lane = threadIdx.x % WARP;
    int slice = threadIdx.x / WARP;
    int64_t i = static_cast<int64_t>(blockIdx.x) * WARP + lane;
    float sum = 0;
#pragma unroll 4
    for (int64_t block = slice; block < blocks; block += SLICES) {
        sum += partial[block * sums + i];
    }
    slices[slice][lane] = sum;
    __syncthreads();
    int64_t column = sum_column(i, width);
    if (slice == 0 && column < columns) {
        for (int other = 1; other < SLICES; other++) {
            sum += slices[other][lane];
        }
        put(dweight + column, sum, accumulate);
    }
}

#define FORWARD(T)                                                                                              \
    (const T *x, const T *weight, float eps, T *y, float *inverse, int64_t count, int64_t columns, int each,   \
     bool kept)
FOR_FLOATS(rms_norm_forward, FORWARD, (x, weight, eps, y, inverse, count, columns, each, kept))

#define BACKWARD(T)                                                                                             \
    (const T *x, const T *weight, const float *inverse, const T *dy, T *dx, bool accumulate, float *partial,   \
     int64_t sums, int64_t count, int64_t columns, int each, bool kept)
FOR_FLOATS(rms_norm_backward, BACKWARD,
           (x, weight, inverse, dy, dx, accumulate, partial, sums, count, columns, each, kept))

#define WEIGHT(T)                                                                                               \
    (const float *partial, int64_t blocks, int64_t sums, int width, T *dweight, int64_t columns, bool accumulate)
FOR_FLOATS(rms_norm_weight, WEIGHT, (partial, blocks, sums, width, dweight, columns, accumulate))
