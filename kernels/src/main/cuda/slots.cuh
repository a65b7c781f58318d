// Kernels over many tensors in one launch: a table of slots says which part of the grid each tensor takes.
#pragma once

#include "common.cuh"

// The slot that `item` belongs to, each slot owning the items from its first up to the next slot's first; slots without
// items own none. `firsts` is the field of slot 0, `stride` the slots' distance in numbers of 8 bytes.
__device__ __forceinline__ int find_slot(const int64_t *firsts, int stride, int slots, int64_t item) {
    int low = 0;
    int high = slots - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (firsts[static_cast<int64_t>(middle) * stride] <= item) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}
