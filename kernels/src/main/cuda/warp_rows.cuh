// A warp for each row of the work.
#pragma once

#include "common.cuh"

// The number of the warp in the whole grid: the row that it works on.
__device__ __forceinline__ int64_t warp_number() {
    return (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / WARP;
}

// numbers[row], read by one lane for all.
__device__ __forceinline__ int read_once(const int *numbers, int64_t row) {
    int number = threadIdx.x % WARP == 0 ? numbers[row] : 0;
    return __shfl_sync(ALL_LANES, number, 0);
}
