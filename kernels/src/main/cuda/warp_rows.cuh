// A warp for each row of the work.
#pragma once

#include "common.cuh"

// The number of the warp in the whole grid: the row that it works on.
__device__ __forceinline__ int64_t warp_number() {
    return (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / WARP;
}
