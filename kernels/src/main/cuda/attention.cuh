// What the kernels of attention share. A block has 8 warps and one head. Each warp keeps a few rows (of queries, or of
// keys), and a tile of 32 rows of the other side passes by in shared memory, one row for each lane:
//
//   products: value[row] of a lane = row . the lane's row of the tile
//   mix:      sum of a row += over all lanes, weight[row][lane] * the lane's row of the tile; a lane holds every 32nd element
//
// WIDTH is the room for a head's elements, 64 or 128; what is past the head's size K is zero.
#pragma once

#include "common.cuh"
#include "philox.cuh"

constexpr int WARPS = 8;
constexpr int THREADS = WARPS * WARP;
constexpr int LANES = WARP;

// A sequence, as SequenceLayout has it.
struct Sequence {
    int query_start;
    int query_count;
    int key_start;
    int key_count;
    int query_position;
};

// The rows of a block: those of a sequence from `first` on.
struct Tile {
    int sequence;
    int first;
};

// The position bias: table [buckets, H], null for none, and the bucket of each distance from -reach to reach, beyond
// which buckets stay the same.
template <typename T> struct Bias {
    const T *table;
    const int *bucket_of;
    int reach;

    __device__ __forceinline__ int bucket(int distance) const {
        return bucket_of[reach + max(-reach, min(reach, distance))];
    }

    __device__ __forceinline__ float at(int distance, int heads, int head) const {
        return table == nullptr ? 0 : to_float(table[bucket(distance) * heads + head]);
    }
};

// How to attend; null tables and a threshold of 0 do nothing.
template <typename T> struct Attention {
    const T *q;
    const T *k;
    const T *v;
    Bias<T> bias;
    const Sequence *sequences;
    const Tile *tiles;
    int heads;
    int size; // elements of a head, K
    bool causal;
    int64_t key_stride; // of dropout's element index
    Dropout dropout;

    // Where this block's head of a row is in tensors of [rows, H * K].
    __device__ __forceinline__ int64_t place(int64_t row) const { return (row * heads + blockIdx.y) * size; }

    __device__ __forceinline__ int64_t head_of(int64_t row) const { return row * heads + blockIdx.y; }

    // Dropout's factors of a warp's rows, each lane's at its own place in each row of `factors`. The row of queries and
    // the key within the sequence go on by one, or stay, from row to row.
    __device__ __forceinline__ void put_factors(int rows, int64_t query_row, int query_step, int key, int key_step,
                                                float *factors) const {
        uint64_t index = static_cast<uint64_t>(head_of(query_row) * key_stride + key);
        int64_t next = query_step * heads * key_stride + key_step;
#pragma unroll 1
        for (int r = 0; r < rows; r++) {
            factors[r * WARP + threadIdx.x % WARP] = dropout.factor_at(index + r * next);
        }
    }
};

#define ATTENTION_PARAMETERS(T)                                                                                     \
    const T *q, const T *k, const T *v, const T *table, const int *bucket_of, int reach, const Sequence *sequences,    \
        const Tile *tiles, int heads, int size, bool causal, int64_t key_stride, uint64_t seed, uint32_t stream,       \
        uint32_t step, uint32_t threshold, float scale
#define ATTENTION(T)                                                                                          \
    Attention<T> {                                                                                             \
        q, k, v, {table, bucket_of, reach}, sequences, tiles, heads, size, causal, key_stride, {               \
            seed, stream, step, threshold, scale                                                               \
        }                                                                                                      \
    }

// The entry points NAME_64_f32 to NAME_128_bf16 of a template over T and WIDTH.
#define FOR_ATTENTION(NAME, T, SUFFIX, WIDTH, PARAMETERS, ARGUMENTS)                                          \
    extern "C" __global__ void __launch_bounds__(THREADS) NAME##_##WIDTH##_##SUFFIX PARAMETERS(T) {            \
        NAME<T, WIDTH> ARGUMENTS(T);                                                                           \
    }
#define FOR_WIDTHS_AND_FLOATS(NAME, PARAMETERS, ARGUMENTS)                  \
    FOR_ATTENTION(NAME, float, f32, 64, PARAMETERS, ARGUMENTS)              \
    FOR_ATTENTION(NAME, float, f32, 128, PARAMETERS, ARGUMENTS)             \
    FOR_ATTENTION(NAME, __half, f16, 64, PARAMETERS, ARGUMENTS)             \
    FOR_ATTENTION(NAME, __half, f16, 128, PARAMETERS, ARGUMENTS)            \
    FOR_ATTENTION(NAME, __nv_bfloat16, bf16, 64, PARAMETERS, ARGUMENTS)     \
    FOR_ATTENTION(NAME, __nv_bfloat16, bf16, 128, PARAMETERS, ARGUMENTS)

// Distance of two rows of a tile: lanes that each read 16 bytes of their row then use all banks.
template <int WIDTH> constexpr int STRIDE = WIDTH + 4;

// Fills `rows` rows of shared memory with one head of the rows from `from` on, which are `width` apart; those past
// `count` and elements past `size` are zero.
template <typename T, int WIDTH>
__device__ __forceinline__ void load_rows(const T *from, int64_t width, int count, int size, float *to, int rows) {
    constexpr int SIZE = Vector<T>::SIZE;
    if (rows_aligned<T>(size)) {
#pragma unroll 1
        for (int i = threadIdx.x; i < rows * (WIDTH / SIZE); i += THREADS) {
            int row = i / (WIDTH / SIZE);
            int column = i % (WIDTH / SIZE) * SIZE;
            Vector<T> v;
            bool inside = row < count && column < size;
            if (inside) {
                v.load(from + row * width + column);
            }
#pragma unroll
            for (int j = 0; j < SIZE; j++) {
                to[row * STRIDE<WIDTH> + column + j] = inside ? to_float(v.element[j]) : 0;
            }
        }
    } else {
#pragma unroll 1
        for (int i = threadIdx.x; i < rows * WIDTH; i += THREADS) {
            int row = i / WIDTH;
            int column = i % WIDTH;
            to[row * STRIDE<WIDTH> + column] = row < count && column < size ? to_float(from[row * width + column]) : 0;
        }
    }
}

// value[r] = rows[r] . the lane's row of the tile.
template <int ROWS, int WIDTH>
__device__ __forceinline__ void products(const float *rows, const float *tile, int size, float (&value)[ROWS]) {
    const float *mine = tile + threadIdx.x % LANES * STRIDE<WIDTH>;
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        value[r] = 0;
    }
#pragma unroll 2
    for (int i = 0; i < size; i += 4) {
        float4 b = *reinterpret_cast<const float4 *>(mine + i);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            float4 a = *reinterpret_cast<const float4 *>(rows + r * STRIDE<WIDTH> + i);
            value[r] += a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
        }
    }
}

// sum[r] += the tile's rows, weighted; `weights` has LANES numbers for each row.
template <int ROWS, int WIDTH>
__device__ __forceinline__ void mix(const float *weights, const float *tile, float (&sum)[ROWS][WIDTH / LANES]) {
    const float *mine = tile + threadIdx.x % LANES;
#pragma unroll 1
    for (int j = 0; j < LANES; j += 4) {
        float4 weight[ROWS];
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            weight[r] = *reinterpret_cast<const float4 *>(weights + r * LANES + j);
        }
#pragma unroll
        for (int c = 0; c < WIDTH / LANES; c++) {
            float x0 = mine[(j + 0) * STRIDE<WIDTH> + c * LANES];
            float x1 = mine[(j + 1) * STRIDE<WIDTH> + c * LANES];
            float x2 = mine[(j + 2) * STRIDE<WIDTH> + c * LANES];
            float x3 = mine[(j + 3) * STRIDE<WIDTH> + c * LANES];
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                sum[r][c] += weight[r].x * x0 + weight[r].y * x1 + weight[r].z * x2 + weight[r].w * x3;
            }
        }
    }
}

// to = sum * factor, or += for gradients, for one head of a row.
template <typename T, int WIDTH>
__device__ __forceinline__ void put_row(T *to, const float (&sum)[WIDTH / LANES], float factor, int size,
                                        bool accumulate) {
#pragma unroll
    for (int c = 0; c < WIDTH / LANES; c++) {
        int i = c * LANES + threadIdx.x % LANES;
        if (i < size) {
            put(to + i, sum[c] * factor, accumulate);
        }
    }
}
