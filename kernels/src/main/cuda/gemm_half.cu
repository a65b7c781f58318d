// targets: sm_75 sm_80
// Matrix products on tensor cores: F16 and, from compute capability 8.0, BF16, with sums in float.
//
// A block computes a tile of TILE x TILE elements of C, a warp TILE / 2 x 32 of them by mma of 16 x 8 x 16 (two of depth 8
// before 8.0). Slices of A and B that are DEPTH deep lie in shared memory as they lie in global memory, whichever way
// that is; ldmatrix transposes where need be. From 8.0 slices arrive by cp.async, two of them being under way while one
// is multiplied; before, the next one waits in registers.
#include "gemm.cuh"

constexpr int DEPTH = 32;
// Elements in 16 bytes.
constexpr int CHUNK = 8;
// How many slices are on their way while one is multiplied, and how many blocks of large tiles find registers at once.
#if __CUDA_ARCH__ >= 800
constexpr int AHEAD = 2;
constexpr int RESIDENT = 2;
#else
constexpr int AHEAD = 1;
constexpr int RESIDENT = 1;
#endif
constexpr int BUFFERS = AHEAD + 1;

__device__ __forceinline__ void load_matrices(uint32_t (&to)[4], unsigned from) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3]) : "r"(from) : "memory");
}

__device__ __forceinline__ void load_matrices_transposed(uint32_t (&to)[4], unsigned from) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3]) : "r"(from) : "memory");
}

// sums [16, 8] += a [16, 16] b [16, 8].
__device__ __forceinline__ void multiply(float (&sums)[4], const uint32_t (&a)[4], const uint32_t *b, __half) {
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
#pragma unroll
    for (int half = 0; half < 2; half++) {
        asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, "
                     "{%0, %1, %2, %3};"
                     : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                     : "r"(a[2 * half]), "r"(a[2 * half + 1]), "r"(b[half]));
    }
#endif
}

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ void multiply(float (&sums)[4], const uint32_t (&a)[4], const uint32_t *b, __nv_bfloat16) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#endif

// Reads the first `valid` of eight elements, zeros for the others.
template <typename T> __device__ __forceinline__ Vector<T> read(const T *from, int valid, bool aligned) {
    assume_global(from);
    Vector<T> chunk;
    if (valid >= CHUNK && aligned) {
        chunk.load(from);
    } else {
#pragma unroll
        for (int i = 0; i < CHUNK; i++) {
            chunk.element[i] = i < valid ? from[i] : from_float<T>(0);
        }
    }
    return chunk;
}

// A thread's part of the slices of op(A) or op(B), on its way from global to shared memory.
template <typename T, int TILE, int THREADS, bool ALONG_K> struct Slice {
    static constexpr int CHUNKS = TILE * DEPTH / CHUNK / THREADS;
    // Chunks of a row: rows are the tile's and k lies along them, or the other way round.
    static constexpr int LENGTH = (ALONG_K ? DEPTH : TILE) / CHUNK;

    // This thread's first chunk of the next slice.
    const T *next;
    int64_t ld;
    // How much of the tile's side is in the matrix.
    int side;
    bool aligned;
#if __CUDA_ARCH__ < 800
    Vector<T> chunk[CHUNKS];
#endif

    // The tile's side begins at `begin` of `end`.
    __device__ __forceinline__ Slice(const T *matrix, int64_t ld, int begin, int end)
        : next(matrix + (ALONG_K ? begin * ld : begin) + threadIdx.x / LENGTH * ld + threadIdx.x % LENGTH * CHUNK),
          ld(ld), side(min(end - begin, TILE)), aligned(aligned_rows(matrix, ld, 16)) {}

    // Where a chunk of a slice is. Chunks are exchanged within 128 bytes so that neither those of a row, which are
    // written at once, nor those of eight adjacent rows, which ldmatrix reads at once, meet in a bank.
    static __device__ __forceinline__ int place(int row, int chunk) {
        return row * LENGTH + (ALONG_K ? chunk ^ (row / 2 % 4) : chunk ^ (row % 8));
    }

    // Starts to read a slice, of which `depth` is in the matrix.
    __device__ __forceinline__ void issue(uint4 *slice, int depth) {
#pragma unroll
        for (int q = 0; q < CHUNKS; q++) {
            int s = q * THREADS + threadIdx.x;
            int valid = s / LENGTH < (ALONG_K ? side : depth) ? (ALONG_K ? depth : side) - s % LENGTH * CHUNK : 0;
            const T *from = next + q * (THREADS / LENGTH) * ld;
#if __CUDA_ARCH__ >= 800
            uint4 *to = slice + place(s / LENGTH, s % LENGTH);
            if (aligned) {
                // What is not read becomes zero.
                int bytes = max(0, min(valid, CHUNK)) * static_cast<int>(sizeof(T));
                asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::
                             "r"(static_cast<unsigned>(__cvta_generic_to_shared(to))),
                             "l"(__cvta_generic_to_global(from)), "r"(bytes) : "memory");
            } else {
                read(from, valid, false).store(reinterpret_cast<T *>(to));
            }
#else
            chunk[q] = read(from, valid, aligned);
#endif
        }
        next += ALONG_K ? DEPTH : DEPTH * ld;
    }

#if __CUDA_ARCH__ < 800
    // Writes what was read to shared memory.
    __device__ __forceinline__ void land(uint4 *slice) const {
#pragma unroll
        for (int q = 0; q < CHUNKS; q++) {
            int s = q * THREADS + threadIdx.x;
            chunk[q].store(reinterpret_cast<T *>(slice + place(s / LENGTH, s % LENGTH)));
        }
    }
#endif

    // The operand of an mma that is 16 x 16 at (i, k), or two that are 8 x 16 one below the other. The matrices come in the
    // order of their k when `K_FIRST`, otherwise in that of i.
    template <bool K_FIRST> static __device__ __forceinline__ void load(uint32_t (&to)[4], const uint4 *slice, int i,
                                                                       int k) {
        int lane = threadIdx.x % WARP;
        int first = lane / 8 % 2;
        int second = lane / 16;
        i += 8 * (K_FIRST ? second : first);
        k += 8 * (K_FIRST ? first : second);
        const uint4 *from = slice + (ALONG_K ? place(i + lane % 8, k / CHUNK) : place(k + lane % 8, i / CHUNK));
        unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(from));
        if (ALONG_K) {
            load_matrices(to, address);
        } else {
            load_matrices_transposed(to, address);
        }
    }
};

// How a block shares out its tile and its memory.
template <int TILE> struct Tiling {
    // Warps side by side; there are two rows of them.
    static constexpr int ACROSS = TILE / 32;
    static constexpr int THREADS = 2 * ACROSS * WARP;
    // What a warp computes, in steps of 16 rows and 8 columns.
    static constexpr int FM = TILE / 2 / 16;
    static constexpr int FN = 32 / 8;
    // Chunks of a slice.
    static constexpr int SLICE = TILE * DEPTH / CHUNK;
    // The slices lie in shared memory and, later, C in rows that are a chunk longer than the tile.
    static constexpr int ROW = TILE + CHUNK;
    static constexpr int SIZE = 2 * BUFFERS * SLICE > TILE * ROW / CHUNK ? 2 * BUFFERS * SLICE : TILE * ROW / CHUNK;

    // Where a warp's part of the tile begins.
    static __device__ __forceinline__ int y() { return threadIdx.x / WARP / ACROSS * (TILE / 2); }
    static __device__ __forceinline__ int x() { return threadIdx.x / WARP % ACROSS * 32; }
};

// Copies the tile between C and shared memory.
template <typename T, int TILE, bool STORE>
__device__ __forceinline__ void copy_tile(const Product<T> &product, T *tile, bool aligned) {
#pragma unroll 1
    for (int s = threadIdx.x; s < TILE * TILE / CHUNK; s += Tiling<TILE>::THREADS) {
        int row = s / (TILE / CHUNK);
        int column = s % (TILE / CHUNK) * CHUNK;
        T *c = product.c + (product.row + row) * product.ldc + product.column + column;
        T *shared = tile + row * Tiling<TILE>::ROW + column;
        int valid = product.row + row < product.m
                        ? product.n - product.column - column : 0;
        if (!STORE) {
            read(c, valid, aligned).store(shared);
        } else {
            assume_global(c);
            if (valid >= CHUNK && aligned) {
                *reinterpret_cast<uint4 *>(c) = *reinterpret_cast<const uint4 *>(shared);
            } else {
#pragma unroll
                for (int i = 0; i < CHUNK; i++) {
                    if (i < valid) {
                        c[i] = shared[i];
                    }
                }
            }
        }
    }
}

// The warp's part of the product.
template <typename T, int TILE, bool A_TRANSPOSED, bool B_TRANSPOSED>
__device__ __forceinline__ void add_products(const Product<T> &product, uint4 *shared,
                                             float (&sums)[Tiling<TILE>::FM][Tiling<TILE>::FN][4]) {
    using Tiles = Tiling<TILE>;
    using SliceA = Slice<T, TILE, Tiles::THREADS, !A_TRANSPOSED>;
    using SliceB = Slice<T, TILE, Tiles::THREADS, B_TRANSPOSED>;
    SliceA a(product.a, product.lda, product.row, product.m);
    SliceB b(product.b, product.ldb, product.column, product.n);
    int buffer = 0;
    int next = 0;
    for (int from = -AHEAD * DEPTH; from < product.k; from += DEPTH) {
#if __CUDA_ARCH__ >= 800
        if (from >= 0) {
            // The slice has arrived, and nobody reads any more from where the next one goes.
            asm volatile("cp.async.wait_group %0;" ::"n"(AHEAD - 1) : "memory");
            __syncthreads();
        }
#endif
        int left = product.k - (from + AHEAD * DEPTH);
        if (left > 0) {
            int depth = min(left, DEPTH);
            a.issue(shared + 2 * next * Tiles::SLICE, depth);
            b.issue(shared + (2 * next + 1) * Tiles::SLICE, depth);
        }
#if __CUDA_ARCH__ >= 800
        asm volatile("cp.async.commit_group;" ::: "memory");
#endif
        if (from >= 0) {
            const uint4 *slice_a = shared + 2 * buffer * Tiles::SLICE;
            const uint4 *slice_b = slice_a + Tiles::SLICE;
#pragma unroll
            for (int k = 0; k < DEPTH; k += 16) {
                uint32_t right_operands[Tiles::FN / 2][4];
#pragma unroll
                for (int j = 0; j < Tiles::FN / 2; j++) {
                    SliceB::template load<true>(right_operands[j], slice_b, Tiles::x() + 16 * j, k);
                }
#pragma unroll
                for (int i = 0; i < Tiles::FM; i++) {
                    uint32_t left_operand[4];
                    SliceA::template load<false>(left_operand, slice_a, Tiles::y() + 16 * i, k);
#pragma unroll
                    for (int j = 0; j < Tiles::FN; j++) {
                        multiply(sums[i][j], left_operand, right_operands[j / 2] + j % 2 * 2, T());
                    }
                }
            }
            buffer = buffer + 1 == BUFFERS ? 0 : buffer + 1;
        }
#if __CUDA_ARCH__ < 800
        if (left > 0) {
            a.land(shared + 2 * next * Tiles::SLICE);
            b.land(shared + (2 * next + 1) * Tiles::SLICE);
            __syncthreads();
        }
#endif
        next = next + 1 == BUFFERS ? 0 : next + 1;
    }
    // From here on the slices' memory may be used for something else.
    __syncthreads();
}

// Two adjacent elements of C, of which a thread has two for each mma, eight rows apart.
template <typename T> union Pair {
    uint32_t bits;
    T element[2];

    // Where the thread's pair number i is, relative to its first one.
    static __device__ __forceinline__ int place(int i, int fragments, int row) {
        return (i / 2 / fragments * 16 + i % 2 * 8) * row + i / 2 % fragments * 8;
    }
};

// Rounds sums, to which C is added before if it is to be accumulated, and writes them. They go through shared memory, so
// that rows of C are read and written 16 bytes at a time.
template <typename T, int TILE>
__device__ __forceinline__ void write_tile(const Product<T> &product, T *tile,
                                           float (&sums)[Tiling<TILE>::FM][Tiling<TILE>::FN][4]) {
    using Tiles = Tiling<TILE>;
    bool aligned = aligned_rows(product.c, product.ldc, 16);
    int lane = threadIdx.x % WARP;
    T *mine = tile + (Tiles::y() + lane / 4) * Tiles::ROW + Tiles::x() + lane % 4 * 2;
    if (product.accumulate) {
        copy_tile<T, TILE, false>(product, tile, aligned);
        __syncthreads();
#pragma unroll
        for (int i = 0; i < Tiles::FM * Tiles::FN * 2; i++) {
            Pair<T> old;
            old.bits = *reinterpret_cast<const uint32_t *>(mine + Pair<T>::place(i, Tiles::FN, Tiles::ROW));
            float *sum = &sums[i / 2 / Tiles::FN][i / 2 % Tiles::FN][i % 2 * 2];
            sum[0] += to_float(old.element[0]);
            sum[1] += to_float(old.element[1]);
        }
    }
#pragma unroll
    for (int i = 0; i < Tiles::FM * Tiles::FN * 2; i++) {
        const float *sum = &sums[i / 2 / Tiles::FN][i / 2 % Tiles::FN][i % 2 * 2];
        Pair<T> rounded;
        rounded.element[0] = from_float<T>(sum[0]);
        rounded.element[1] = from_float<T>(sum[1]);
        *reinterpret_cast<uint32_t *>(mine + Pair<T>::place(i, Tiles::FN, Tiles::ROW)) = rounded.bits;
    }
    __syncthreads();
    copy_tile<T, TILE, true>(product, tile, aligned);
}

template <typename T, int TILE>
__device__ __forceinline__ void gemm(Product<T> product, int grouping, const int *offsets, int groups,
                                     const int64_t *table) {
    __shared__ __align__(128) uint4 shared[Tiling<TILE>::SIZE];
    if (!product.template locate<TILE>(grouping, offsets, groups, table)) {
        return;
    }
    float sums[Tiling<TILE>::FM][Tiling<TILE>::FN][4] = {};
    if (product.a_transposed) {
        if (product.b_transposed) {
            add_products<T, TILE, true, true>(product, shared, sums);
        } else {
            add_products<T, TILE, true, false>(product, shared, sums);
        }
    } else if (product.b_transposed) {
        add_products<T, TILE, false, true>(product, shared, sums);
    } else {
        add_products<T, TILE, false, false>(product, shared, sums);
    }
    write_tile<T, TILE>(product, reinterpret_cast<T *>(shared), sums);
}

extern "C" __global__ void __launch_bounds__(128) gemm_64_f16 GEMM_PARAMETERS(__half) {
    gemm<__half, 64> GEMM_ARGUMENTS;
}
extern "C" __global__ void __launch_bounds__(256, RESIDENT) gemm_128_f16 GEMM_PARAMETERS(__half) {
    gemm<__half, 128> GEMM_ARGUMENTS;
}
#if __CUDA_ARCH__ >= 800
extern "C" __global__ void __launch_bounds__(128) gemm_64_bf16 GEMM_PARAMETERS(__nv_bfloat16) {
    gemm<__nv_bfloat16, 64> GEMM_ARGUMENTS;
}
extern "C" __global__ void __launch_bounds__(256, RESIDENT) gemm_128_bf16 GEMM_PARAMETERS(__nv_bfloat16) {
    gemm<__nv_bfloat16, 128> GEMM_ARGUMENTS;
}
#endif
