// What attention's kernels share: where the sequences lie, the bias, the mask, and tiles of rows in shared memory.
//
// A block of WARPS warps owns OWNED rows of one head of one sequence, and goes over the rows of the other side in tiles
// of TILE, one row a lane. So scores exist only in registers, and every sum has a fixed order.
#pragma once

#include "common.cuh"
#include "philox.cuh"

constexpr int WARPS = 4;
constexpr int TILE = WARP;
constexpr int PER_WARP = 4;
constexpr int OWNED = WARPS * PER_WARP;
constexpr int MOST_WIDTH = 128;
constexpr int SLICES = MOST_WIDTH / WARP;

// Five ints of a sequence, as io.mixt5.engine.op.SequenceLayout.
struct Sequence {
    int query_start, query_count, key_start, key_count, query_position;
};

// What all kernels are told.
struct Attention {
    const Sequence *sequences;
    const int2 *blocks;  // of each block along x: sequence, first row that it owns
    const int *buckets;  // of each distance from -max_distance to max_distance; null without a bias
    int max_distance;
    int heads;
    int width;
    bool causal;
    int key_stride;
    Dropout dropout;

    __device__ __forceinline__ int bucket(int distance) const {
        return buckets[min(max(distance, -max_distance), max_distance) + max_distance];
    }

    __device__ __forceinline__ bool visible(const Sequence &s, int query, int key) const {
        return query < s.query_count && key < s.key_count && (!causal || key <= s.query_position + query);
    }

    __device__ __forceinline__ float mask(const Sequence &s, int query, int key, int head) const {
        int64_t row = static_cast<int64_t>(s.query_start + query) * heads + head;
        return dropout.factor_at(row * key_stride + key);
    }
};

// Copies rows first to first + rows of a head into shared memory as floats, `stride` apart; zeros from row `end`.
template <typename T>
__device__ void load_rows(const T *matrix, int start, int first, int end, int rows, int head, const Attention &a,
                          float *to, int stride) {
    int64_t columns = static_cast<int64_t>(a.heads) * a.width;
    for (int i = threadIdx.x; i < rows * a.width; i += WARPS * WARP) {
        int row = i / a.width, column = i % a.width;
        to[row * stride + column] =
            first + row < end ? to_float(matrix[(start + first + row) * columns + head * a.width + column]) : 0.f;
    }
}

__device__ __forceinline__ float dot(const float *x, const float *y, int width) {
    float sum = 0;
#pragma unroll 4
    for (int i = 0; i < width; i++) {
        sum = fmaf(x[i], y[i], sum);
    }
    return sum;
}

// sum[s] += sum over the tile's rows j of factor_j rows[j][lane + 32 s], factor_j being that of lane j.
__device__ __forceinline__ void add_rows(float factor, const float *rows, int stride, int width, float *sum) {
    int lane = threadIdx.x % WARP;
#pragma unroll 4
    for (int j = 0; j < TILE; j++) {
        float f = __shfl_sync(ALL_LANES, factor, j);
#pragma unroll
        for (int s = 0; s < SLICES; s++) {
            int column = lane + s * WARP;
            if (column < width) {
                sum[s] = fmaf(f, rows[j * stride + column], sum[s]);
            }
        }
    }
}
