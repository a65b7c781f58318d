// What all kernels share: element types, vectors of 16 bytes, sums over a warp or a block.
//
// Kernels compute in float and keep tensors in T: float, __half or __nv_bfloat16. A kernel is a template over T;
// FOR_FLOATS names its three entry points NAME_f32, NAME_f16 and NAME_bf16, which is how CudaKernel asks for them.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <stdint.h>

constexpr int WARP = 32;
constexpr unsigned ALL_LANES = 0xffffffffu;

// Entry points of a kernel template for each element type, with the parameters in parentheses:
//   #define PARAMETERS(T) (const T *x, T *y, long n)
//   #define ARGUMENTS (x, y, n)
//   FOR_FLOATS(add_forward, PARAMETERS, ARGUMENTS)
#define FOR_FLOATS(NAME, PARAMETERS, ARGUMENTS)                                  \
    extern "C" __global__ void NAME##_f32 PARAMETERS(float) { NAME<float> ARGUMENTS; } \
    extern "C" __global__ void NAME##_f16 PARAMETERS(__half) { NAME<__half> ARGUMENTS; } \
    extern "C" __global__ void NAME##_bf16 PARAMETERS(__nv_bfloat16) { NAME<__nv_bfloat16> ARGUMENTS; }

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(__half x) { return __half2float(x); }
__device__ __forceinline__ float to_float(__nv_bfloat16 x) { return __bfloat162float(x); }

template <typename T> __device__ __forceinline__ T from_float(float x);
template <> __device__ __forceinline__ float from_float<float>(float x) { return x; }
template <> __device__ __forceinline__ __half from_float<__half>(float x) { return __float2half_rn(x); }
template <> __device__ __forceinline__ __nv_bfloat16 from_float<__nv_bfloat16>(float x) { return __float2bfloat16_rn(x); }

// 16 bytes of T, moved by one access. The address must be a multiple of 16.
template <typename T> struct Vector {
    static constexpr int SIZE = 16 / sizeof(T);
    T element[SIZE];

    __device__ __forceinline__ void load(const T *from) {
        *reinterpret_cast<uint4 *>(element) = *reinterpret_cast<const uint4 *>(from);
    }

    __device__ __forceinline__ void store(T *to) const {
        *reinterpret_cast<uint4 *>(to) = *reinterpret_cast<const uint4 *>(element);
    }
};

// Whether every row of `columns` elements starts at a multiple of 16 bytes when the first does.
template <typename T> __device__ __forceinline__ bool rows_aligned(int64_t columns) {
    return columns % Vector<T>::SIZE == 0;
}

// Writes or adds, as Gradients.Target asks.
template <typename T> __device__ __forceinline__ void put(T *to, float value, bool accumulate) {
    *to = from_float<T>(accumulate ? to_float(*to) + value : value);
}

// The sum over a warp, in every lane; the same order each time.
__device__ __forceinline__ float warp_sum(float x) {
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        x += __shfl_xor_sync(ALL_LANES, x, distance);
    }
    return x;
}

__device__ __forceinline__ float warp_max(float x) {
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, distance));
    }
    return x;
}

// The sum over a block of whole warps, in every thread; `scratch` holds 33 floats of shared memory.
__device__ __forceinline__ float block_sum(float x, float *scratch) {
    x = warp_sum(x);
    __syncthreads();
    if (threadIdx.x % WARP == 0) {
        scratch[threadIdx.x / WARP] = x;
    }
    __syncthreads();
    if (threadIdx.x < WARP) {
        float part = threadIdx.x < blockDim.x / WARP ? scratch[threadIdx.x] : 0;
        part = warp_sum(part);
        if (threadIdx.x == 0) {
            scratch[WARP] = part;
        }
    }
    __syncthreads();
    return scratch[WARP];
}
