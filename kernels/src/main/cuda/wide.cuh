// Neighbouring elements moved by one access, as floats.
#pragma once

#include "common.cuh"

// What moves so many bytes at once; the address must be a multiple of them.
template <int BYTES> struct Access;
template <> struct Access<16> { using Type = uint4; };
template <> struct Access<8> { using Type = uint2; };
template <> struct Access<4> { using Type = uint32_t; };
template <> struct Access<2> { using Type = uint16_t; };

// The access for SIZE elements.
template <typename T, int SIZE> using Wide = typename Access<SIZE * sizeof(T)>::Type;

template <typename T, int SIZE> __device__ __forceinline__ Wide<T, SIZE> load_wide(const T *from) {
    return *reinterpret_cast<const Wide<T, SIZE> *>(from);
}

template <typename T, int SIZE> __device__ __forceinline__ void store_wide(Wide<T, SIZE> wide, T *to) {
    *reinterpret_cast<Wide<T, SIZE> *>(to) = wide;
}

template <typename T, int SIZE> __device__ __forceinline__ void unpack(Wide<T, SIZE> wide, float (&value)[SIZE]) {
#pragma unroll
    for (int j = 0; j < SIZE; j++) {
        value[j] = to_float(reinterpret_cast<const T *>(&wide)[j]);
    }
}

template <typename T, int SIZE> __device__ __forceinline__ void load(const T *from, float (&value)[SIZE]) {
    unpack<T, SIZE>(load_wide<T, SIZE>(from), value);
}

// To device memory.
template <typename T, int SIZE> __device__ __forceinline__ void store(const float (&value)[SIZE], T *to) {
    Wide<T, SIZE> wide;
#pragma unroll
    for (int j = 0; j < SIZE; j++) {
        reinterpret_cast<T *>(&wide)[j] = from_float<T>(value[j]);
    }
    if constexpr (sizeof(wide) == 16) {
        // Said by an intrinsic, as the compiler takes some plain stores of 16 bytes apart.
        __stwb(reinterpret_cast<uint4 *>(to), wide);
    } else {
        store_wide<T, SIZE>(wide, to);
    }
}

// Writes or adds, as Gradients.Target asks.
template <typename T, int SIZE>
__device__ __forceinline__ void put(float (&value)[SIZE], T *to, bool accumulate) {
    if (accumulate) {
        float before[SIZE];
        load<T, SIZE>(to, before);
#pragma unroll
        for (int j = 0; j < SIZE; j++) {
            value[j] += before[j];
        }
    }
    store<T, SIZE>(value, to);
}
