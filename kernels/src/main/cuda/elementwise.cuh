// What element-wise kernels share: each thread takes the elements of one wide access of each tensor, computes in float
// and touches nothing twice.
#pragma once

#include "philox.cuh"
#include "wide.cuh"

// The elements that one thread of a one-dimensional grid takes of n: SIZE of them, fewer or none at the end.
template <int SIZE> struct Part {
    int64_t first;
    int64_t left;

    __device__ __forceinline__ explicit Part(int64_t n)
        : first((static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) * SIZE), left(n - first) {}

    // Reads the elements of this part; those past the end are 0.
    template <typename T> __device__ __forceinline__ void load(const T *from, float (&value)[SIZE]) const {
        if (left >= SIZE) {
            ::load<T, SIZE>(from + first, value);
        } else {
#pragma unroll
            for (int j = 0; j < SIZE; j++) {
                value[j] = j < left ? to_float(from[first + j]) : 0.f;
            }
        }
    }

    // Writes the elements of this part.
    template <typename T> __device__ __forceinline__ void store(const float (&value)[SIZE], T *to) const {
        if (left >= SIZE) {
            ::store<T, SIZE>(value, to + first);
        } else {
#pragma unroll
            for (int j = 0; j < SIZE; j++) {
                if (j < left) {
                    to[first + j] = from_float<T>(value[j]);
                }
            }
        }
    }

    // Writes or adds, as Gradients.Target asks.
    template <typename T> __device__ __forceinline__ void put(float (&value)[SIZE], T *to, bool accumulate) const {
        if (accumulate) {
            float before[SIZE];
            load(to, before);
#pragma unroll
            for (int j = 0; j < SIZE; j++) {
                value[j] += before[j];
            }
        }
        store(value, to);
    }

    // Multiplies each element by its dropout factor.
    __device__ __forceinline__ void drop(const Dropout &dropout, float (&value)[SIZE]) const {
        static_assert(SIZE % 4 == 0, "four elements share one draw");
        if (dropout.threshold != 0) {
#pragma unroll
            for (int j = 0; j < SIZE; j += 4) {
                uint4 bits = philox(dropout.seed, dropout.stream, dropout.step, (first + j) >> 2);
                value[j] *= dropout.factor(bits.x);
                value[j + 1] *= dropout.factor(bits.y);
                value[j + 2] *= dropout.factor(bits.z);
                value[j + 3] *= dropout.factor(bits.w);
            }
        }
    }
};
