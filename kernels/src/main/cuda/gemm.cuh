// Which product a block has part in, and which tile of it. All is row-major: C = op(A) op(B), or C += op(A) op(B).
#pragma once

#include "common.cuh"

// One product, or those of several experts in one launch.
enum Grouping {
    // C [m, n] = op(A) op(B).
    SINGLE = 0,
    // Expert g has rows offsets[g] to offsets[g + 1] of A and C, and its own B at table[g]. Rows of C from
    // offsets[groups] to m are zeros, or left alone when accumulating. A is not transposed.
    GROUPED_ROWS = 1,
    // Expert blockIdx.z sums over rows offsets[z] to offsets[z + 1] of A (transposed) and B (not). Its C is at table[z],
    // 0 for an expert left out, and is accumulated into when table[groups + z] is not 0.
    GROUPED_DEPTH = 2
};

// How many tiles a side has.
template <int TILE> __device__ __forceinline__ int tiles(int side) { return side / TILE + (side % TILE > 0); }

template <typename T> struct Product {
    const T *a;
    int64_t lda;
    const T *b;
    int64_t ldb;
    T *c;
    int64_t ldc;
    int m;
    int n;
    int k;
    bool a_transposed;
    bool b_transposed;
    bool accumulate;
    // Where this block's tile begins in C.
    int row;
    int column;

    // Narrows the product down to this block's expert and finds its tile of TILE rows and columns. Row tiles are the
    // fast index of the grid's x, so that blocks which run at the same time share their part of B. False for a block
    // that has nothing to do.
    template <int TILE> __device__ __forceinline__ bool locate(int grouping, const int *offsets, int groups,
                                                               const int64_t *table) {
        int row_tiles = gridDim.x / tiles<TILE>(n);
        int tile = blockIdx.x % row_tiles;
        column = blockIdx.x / row_tiles * TILE;
        if (grouping == GROUPED_ROWS) {
            int begin = 0;
            int end = offsets[1];
            int group = 0;
            while (tile >= tiles<TILE>(end - begin)) {
                if (group == groups) {
                    return false;
                }
                tile -= tiles<TILE>(end - begin);
                begin = end;
                end = ++group < groups ? offsets[group + 1] : m;
            }
            a += begin * lda;
            c += begin * ldc;
            m = end - begin;
            if (group < groups) {
                b = reinterpret_cast<const T *>(table[group]);
            } else if (accumulate) {
                return false;
            } else {
                k = 0;
            }
        } else if (grouping == GROUPED_DEPTH) {
            int begin = offsets[blockIdx.z];
            a += begin * lda;
            b += begin * ldb;
            c = reinterpret_cast<T *>(table[blockIdx.z]);
            k = offsets[blockIdx.z + 1] - begin;
            accumulate = table[groups + blockIdx.z] != 0;
            if (c == nullptr || (accumulate && k == 0)) {
                return false;
            }
        }
        row = tile * TILE;
        return true;
    }
};

// The parameters of every entry point, and the product that they describe.
#define GEMM_PARAMETERS(T)                                                                                      \
    (const T *a, int64_t lda, const T *b, int64_t ldb, T *c, int64_t ldc, int m, int n, int k,                   \
     bool a_transposed, bool b_transposed, bool accumulate, int grouping, const int *offsets, int groups,        \
     const int64_t *table)
#define GEMM_ARGUMENTS                                                                                          \
    ({a, lda, b, ldb, c, ldc, m, n, k, a_transposed, b_transposed, accumulate, 0, 0}, grouping, offsets, groups, table)

// Whether rows `ld` apart all begin at a multiple of `bytes`.
template <typename T> __device__ __forceinline__ bool aligned_rows(const T *first, int64_t ld, int bytes) {
    return reinterpret_cast<uintptr_t>(first) % bytes == 0 && ld * static_cast<int64_t>(sizeof(T)) % bytes == 0;
}

// Tells the compiler, which cannot see it of addresses from a table, that this is device memory.
template <typename T> __device__ __forceinline__ void assume_global(const T *p) { __builtin_assume(__isGlobal(p)); }
