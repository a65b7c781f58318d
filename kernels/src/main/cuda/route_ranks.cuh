// Counting that keeps the order: a block's threads, tile by tile, each want an expert, and learn how many wanted it
// before.
#pragma once

#include "common.cuh"

__device__ __forceinline__ unsigned lanes_before() { return (1u << threadIdx.x % WARP) - 1; }

// The sum over the lanes up to and with this one.
__device__ __forceinline__ int sum_until(int x) {
    for (int distance = 1; distance < WARP; distance *= 2) {
        int before = __shfl_up_sync(ALL_LANES, x, distance);
        x += threadIdx.x % WARP >= distance ? before : 0;
    }
    return x;
}

__device__ __forceinline__ int warp_total(int x) { return __shfl_sync(ALL_LANES, sum_until(x), WARP - 1); }

// The sum over the threads of the block before this one, and over all.
struct Before {
    int sum;
    int total;
};

// All threads take part; `scratch` holds an int for each warp.
__device__ __forceinline__ Before block_before(int x, int *scratch) {
    int until = sum_until(x);
    __syncthreads();
    if (threadIdx.x % WARP == WARP - 1) {
        scratch[threadIdx.x / WARP] = until;
    }
    __syncthreads();
    Before before{until - x, 0};
    for (int warp = 0; warp < blockDim.x / WARP; warp++) {
        before.sum += warp < threadIdx.x / WARP ? scratch[warp] : 0;
        before.total += scratch[warp];
    }
    return before;
}

// Ranks among wishes. `counts` is shared memory for an int to each warp and expert.
struct Ranks {
    int *counts;
    int experts;

    // How many wished for the thread's expert before it, -1 being no wish. before(e, n) gives how many did before this
    // tile, of which n do; one thread asks it for each expert that is wished for. All threads take part.
    template <typename Count> __device__ __forceinline__ int of(int expert, Count before) const {
        int warps = blockDim.x / WARP;
        __syncthreads();
        for (int i = threadIdx.x; i < warps * experts; i += blockDim.x) {
            counts[i] = 0;
        }
        __syncthreads();
        int *count = counts + threadIdx.x / WARP * experts;
        unsigned same = __match_any_sync(ALL_LANES, expert);
        int rank = __popc(same & lanes_before());
        if (expert >= 0 && rank == 0) {
            count[expert] = __popc(same);
        }
        __syncthreads();
        for (int e = threadIdx.x; e < experts; e += blockDim.x) {
            int total = 0;
            for (int warp = 0; warp < warps; warp++) {
                total += counts[warp * experts + e];
            }
            if (total > 0) {
                int sum = before(e, total);
                for (int warp = 0; warp < warps; warp++) {
                    int own = counts[warp * experts + e];
                    counts[warp * experts + e] = sum;
                    sum += own;
                }
            }
        }
        __syncthreads();
        return expert < 0 ? 0 : rank + count[expert];
    }
};
