// Matrix products by fused multiply-adds in float: for F32, and for BF16 where tensor cores do not take it.
//
// A block computes a tile of TILE x TILE elements of C, each thread 4 FM x 4 FN of them in registers. Slices of A and B
// that are DEPTH deep go through registers to shared memory, where there are two of each: while one is multiplied the
// next is on its way. Sums run over k in order, so results depend on nothing but the operands.
#include "gemm.cuh"

constexpr int DEPTH = 8;

// Where element (k, i) of a slice is. Which sixteen columns are where depends on k: so the two quads of sixteen rows that
// a warp writes, having read them along k, meet in no bank, and quads along i stay whole.
template <int TILE> __device__ __forceinline__ int place(int k, int i) { return k * TILE + (i ^ (k / 4 % 2 * 16)); }

// Reads the first `valid` of four elements, zeros for the others.
template <typename T> __device__ __forceinline__ float4 read(const T *from, int valid, bool aligned) {
    assume_global(from);
    T quad[4];
    if (valid >= 4 && aligned) {
        if (sizeof(T) == 4) {
            *reinterpret_cast<uint4 *>(quad) = *reinterpret_cast<const uint4 *>(from);
        } else {
            *reinterpret_cast<uint2 *>(quad) = *reinterpret_cast<const uint2 *>(from);
        }
    } else {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            quad[i] = i < valid ? from[i] : from_float<T>(0);
        }
    }
    return make_float4(to_float(quad[0]), to_float(quad[1]), to_float(quad[2]), to_float(quad[3]));
}

// Writes the first `valid` of four elements.
template <typename T> __device__ __forceinline__ void write(T *to, const float *values, int valid, bool aligned) {
    assume_global(to);
    T quad[4];
#pragma unroll
    for (int i = 0; i < 4; i++) {
        quad[i] = from_float<T>(values[i]);
    }
    if (valid >= 4 && aligned) {
        if (sizeof(T) == 4) {
            *reinterpret_cast<uint4 *>(to) = *reinterpret_cast<const uint4 *>(quad);
        } else {
            *reinterpret_cast<uint2 *>(to) = *reinterpret_cast<const uint2 *>(quad);
        }
    } else {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            if (i < valid) {
                to[i] = quad[i];
            }
        }
    }
}

// A thread's part of the slices of op(A) or op(B), on its way from global to shared memory.
template <typename T, int TILE, int THREADS> struct Slice {
    static_assert(TILE * DEPTH == 4 * THREADS, "a thread moves one quad");

    // This thread's quad of the next slice, and how far slices are apart.
    const T *next;
    int64_t advance;
    // How much of the tile's side is in the matrix.
    int side;
    bool along_k;
    bool aligned;
    // The quad's row and column in memory.
    int row;
    int column;
    float4 quad;

    // The tile's side begins at `begin` of `end`; it lies along rows or, if `along_k`, k does.
    __device__ __forceinline__ Slice(const T *matrix, int64_t ld, int begin, int end, bool along_k)
        : side(min(end - begin, TILE)), along_k(along_k),
          aligned(aligned_rows(matrix, ld, 4 * sizeof(T))) {
        int s = threadIdx.x;
        row = along_k ? s / (DEPTH / 4) : s / (TILE / 4);
        column = along_k ? s % (DEPTH / 4) * 4 : s % (TILE / 4) * 4;
        next = matrix + (along_k ? begin * ld : begin) + row * ld + column;
        advance = along_k ? DEPTH : DEPTH * ld;
    }

    // Reads a slice, of which `depth` is in the matrix.
    __device__ __forceinline__ void fetch(int depth) {
        quad = read(next, row < (along_k ? side : depth) ? (along_k ? depth : side) - column : 0, aligned);
        next += advance;
    }

    __device__ __forceinline__ void land(float *slice) const {
        if (along_k) {
            slice[place<TILE>(column, row)] = quad.x;
            slice[place<TILE>(column + 1, row)] = quad.y;
            slice[place<TILE>(column + 2, row)] = quad.z;
            slice[place<TILE>(column + 3, row)] = quad.w;
        } else {
            *reinterpret_cast<float4 *>(slice + place<TILE>(row, column)) = quad;
        }
    }
};

template <typename T, int TILE, int FM, int FN>
__device__ __forceinline__ void gemm(Product<T> product, int grouping, const int *offsets, int groups,
                                     const int64_t *table) {
    constexpr int ACROSS = TILE / (4 * FN);
    constexpr int THREADS = ACROSS * TILE / (4 * FM);
    constexpr int ROWS = TILE / FM;
    constexpr int COLUMNS = TILE / FN;
    __shared__ __align__(16) float slices[2][2][DEPTH * TILE];
    if (!product.template locate<TILE>(grouping, offsets, groups, table)) {
        return;
    }
    // A warp has 4 x 8 of the block's threads: the eight that read from shared memory at a time want one quad of A and
    // eight adjacent ones of B.
    int warp = threadIdx.x / WARP;
    int lane = threadIdx.x % WARP;
    int x = (warp % (ACROSS / 8) * 8 + lane % 8) * 4;
    int y = (warp / (ACROSS / 8) * 4 + lane / 8) * 4;

    Slice<T, TILE, THREADS> a(product.a, product.lda, product.row, product.m, !product.a_transposed);
    Slice<T, TILE, THREADS> b(product.b, product.ldb, product.column, product.n, product.b_transposed);
    float sums[4 * FM][4 * FN] = {};
    if (product.k > 0) {
        int depth = min(product.k, DEPTH);
        a.fetch(depth);
        b.fetch(depth);
        a.land(slices[0][0]);
        b.land(slices[0][1]);
    }
    __syncthreads();
    int buffer = 0;
    for (int left = product.k; left > 0; left -= DEPTH) {
        int depth = min(left - DEPTH, DEPTH);
        if (depth > 0) {
            a.fetch(depth);
            b.fetch(depth);
        }
#pragma unroll
        for (int k = 0; k < DEPTH; k++) {
            float4 left[FM];
            float4 right[FN];
#pragma unroll
            for (int i = 0; i < FM; i++) {
                left[i] = *reinterpret_cast<const float4 *>(slices[buffer][0] + place<TILE>(k, y + i * ROWS));
            }
#pragma unroll
            for (int j = 0; j < FN; j++) {
                right[j] = *reinterpret_cast<const float4 *>(slices[buffer][1] + place<TILE>(k, x + j * COLUMNS));
            }
#pragma unroll
            for (int i = 0; i < 4 * FM; i++) {
#pragma unroll
                for (int j = 0; j < 4 * FN; j++) {
                    sums[i][j] = fmaf((&left[i / 4].x)[i % 4], (&right[j / 4].x)[j % 4], sums[i][j]);
                }
            }
        }
        if (depth > 0) {
            buffer ^= 1;
            a.land(slices[buffer][0]);
            b.land(slices[buffer][1]);
            __syncthreads();
        }
    }

    bool aligned = aligned_rows(product.c, product.ldc, 4 * sizeof(T));
    T *corner = product.c + (product.row + y) * product.ldc + product.column + x;
    int rows = product.m - product.row - y;
    int columns = product.n - product.column - x;
    if (product.accumulate) {
        const T *c = corner;
#pragma unroll
        for (int i = 0; i < 4 * FM; i++) {
#pragma unroll
            for (int j = 0; j < FN; j++) {
                bool inside = i / 4 * ROWS + i % 4 < rows;
                float4 old = read(c + j * COLUMNS, inside ? columns - j * COLUMNS : 0, aligned);
                sums[i][4 * j] += old.x;
                sums[i][4 * j + 1] += old.y;
                sums[i][4 * j + 2] += old.z;
                sums[i][4 * j + 3] += old.w;
            }
            c += (i % 4 == 3 ? ROWS - 3 : 1) * product.ldc;
        }
    }
    T *c = corner;
#pragma unroll
    for (int i = 0; i < 4 * FM; i++) {
#pragma unroll
        for (int j = 0; j < FN; j++) {
            bool inside = i / 4 * ROWS + i % 4 < rows;
            write(c + j * COLUMNS, &sums[i][4 * j], inside ? columns - j * COLUMNS : 0, aligned);
        }
        c += (i % 4 == 3 ? ROWS - 3 : 1) * product.ldc;
    }
}

extern "C" __global__ void __launch_bounds__(128) gemm_64_f32 GEMM_PARAMETERS(float) {
    gemm<float, 64, 2, 1> GEMM_ARGUMENTS;
}
extern "C" __global__ void __launch_bounds__(256) gemm_128_f32 GEMM_PARAMETERS(float) {
    gemm<float, 128, 2, 2> GEMM_ARGUMENTS;
}
extern "C" __global__ void __launch_bounds__(128) gemm_64_bf16 GEMM_PARAMETERS(__nv_bfloat16) {
    gemm<__nv_bfloat16, 64, 2, 1> GEMM_ARGUMENTS;
}
extern "C" __global__ void __launch_bounds__(256) gemm_128_bf16 GEMM_PARAMETERS(__nv_bfloat16) {
    gemm<__nv_bfloat16, 128, 2, 2> GEMM_ARGUMENTS;
}
