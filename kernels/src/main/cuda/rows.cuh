// What kernels over rows share.
#pragma once

#include "wide.cuh"

// Runs FUNCTION<T, WIDTH> ARGUMENTS, with WIDTH elements to an access: 16 bytes of them if every row starts at a
// multiple of that, or one.
#define FOR_WIDTH(FUNCTION, T, COLUMNS, ARGUMENTS)   \
    if (rows_aligned<T>(COLUMNS)) {                  \
        FUNCTION<T, Vector<T>::SIZE> ARGUMENTS;      \
    } else {                                         \
        FUNCTION<T, 1> ARGUMENTS;                    \
    }

// The block copies a row.
template <typename T, int WIDTH> __device__ __forceinline__ void copy_row(const T *from, T *to, int64_t columns) {
    for (int64_t i = static_cast<int64_t>(threadIdx.x) * WIDTH; i < columns; i += blockDim.x * WIDTH) {
        store_wide<T, WIDTH>(load_wide<T, WIDTH>(from + i), to + i);
    }
}
