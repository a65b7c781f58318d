// Counts the rows that a grouped product's weights got gradients from.
#include "common.cuh"

// Expert e has rows offsets[e] to offsets[e + 1]. They are added to where counters[e] points, after that has been zeroed
// if counters[experts + e] is 0; a null pointer asks for no count. Experts may share a counter. One block.
extern "C" __global__ void grouped_rows(const int *offsets, int experts, const int64_t *counters) {
    for (int e = threadIdx.x; e < experts; e += blockDim.x) {
        int *rows = reinterpret_cast<int *>(counters[e]);
        if (rows != nullptr && counters[experts + e] == 0) {
            *rows = 0;
        }
    }
    __syncthreads();
    for (int e = threadIdx.x; e < experts; e += blockDim.x) {
        int *rows = reinterpret_cast<int *>(counters[e]);
        if (rows != nullptr) {
            atomicAdd(rows, offsets[e + 1] - offsets[e]);
        }
    }
}
