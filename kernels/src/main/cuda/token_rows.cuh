// Rows of a matrix, moved by one warp each: 16 bytes a lane where all rows are aligned, else element by element.
#pragma once

#include "warp_rows.cuh"

// One element, in the place of a Vector where rows are not aligned.
template <typename T> struct Single {
    static constexpr int SIZE = 1;
    T element[SIZE];

    __device__ __forceinline__ void load(const T *from) { element[0] = *from; }

    __device__ __forceinline__ void store(T *to) const { *to = element[0]; }
};

// To device memory; said by an intrinsic, as the compiler takes some plain stores of 16 bytes apart.
template <typename V, typename T> __device__ __forceinline__ void store_whole(const V &piece, T *to) {
    if constexpr (sizeof(V) == 16) {
        __stwb(reinterpret_cast<uint4 *>(to), *reinterpret_cast<const uint4 *>(piece.element));
    } else {
        piece.store(to);
    }
}

// to = value, or to += value, for as many elements as V has.
template <typename V, typename T> __device__ __forceinline__ void put_all(T *to, const float *value, bool accumulate) {
    V result;
    if (accumulate) {
        result.load(to);
    }
#pragma unroll
    for (int j = 0; j < V::SIZE; j++) {
        result.element[j] = from_float<T>(accumulate ? to_float(result.element[j]) + value[j] : value[j]);
    }
    result.store(to);
}

// Writes zeros to a row.
template <typename V, typename T> __device__ __forceinline__ void zero_row(T *row, int64_t width) {
    V zeros;
#pragma unroll
    for (int j = 0; j < V::SIZE; j++) {
        zeros.element[j] = from_float<T>(0.f);
    }
    for (int64_t i = threadIdx.x % WARP * V::SIZE; i < width; i += WARP * V::SIZE) {
        zeros.store(row + i);
    }
}
