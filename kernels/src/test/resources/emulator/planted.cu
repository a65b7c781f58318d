// Kernels with one mistake each, and beside each its mended twin; all are launched with blocks of 64 threads.
// planted.ptx is made of this by
//   nvcc -ptx -arch=compute_80 -O3 -o planted.ptx planted.cu
// whose .version is then lowered to 7.0, and whose comments are removed.

template <bool MENDED> __device__ __forceinline__ void outOfBounds(float* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (!MENDED || i < n) {
        out[i] = 1;
    }
}

template <bool MENDED> __device__ __forceinline__ void misaligned(const float* in, float* out) {
    float4 four = *reinterpret_cast<const float4*>(in + (MENDED ? 4 : 1) * threadIdx.x);
    out[threadIdx.x] = four.x + four.y + four.z + four.w;
}

template <bool MENDED> __device__ __forceinline__ void readAfterWrite(const float* in, float* out) {
    __shared__ volatile float tile[64];
    tile[threadIdx.x] = in[threadIdx.x];
    if (MENDED) {
        __syncthreads();
    }
    out[threadIdx.x] = tile[threadIdx.x / 2];
}

template <bool MENDED> __device__ __forceinline__ void writeAfterRead(const float* in, float* out) {
    __shared__ volatile float tile[64];
    tile[threadIdx.x] = in[threadIdx.x];
    __syncthreads();
    float other = tile[threadIdx.x ^ 1];
    if (MENDED) {
        __syncthreads();
    }
    tile[threadIdx.x] = 2 * other;
    out[threadIdx.x] = tile[threadIdx.x];
}

template <bool MENDED> __device__ __forceinline__ void missingSyncwarp(const float* in, float* out) {
    __shared__ volatile float tile[64];
    tile[threadIdx.x] = in[threadIdx.x];
    if (MENDED) {
        __syncwarp();
    }
    out[threadIdx.x] = tile[threadIdx.x ^ 1];
}

template <bool MENDED> __device__ __forceinline__ void halfInitialised(const float* in, float* out) {
    __shared__ volatile float tile[64];
    if (MENDED || threadIdx.x < 32) {
        tile[threadIdx.x] = in[threadIdx.x];
    }
    __syncthreads();
    out[threadIdx.x] = tile[63 - threadIdx.x];
}

template <bool MENDED> __device__ __forceinline__ void accumulates(float* out) {
    float sum = MENDED ? 0 : out[threadIdx.x];
    out[threadIdx.x] = sum + 1;
}

template <bool MENDED> __device__ __forceinline__ void shuffleFromNobody(const float* in, float* out) {
    float value = in[threadIdx.x];
    if (threadIdx.x % 32 < 16) {
        out[threadIdx.x] = __shfl_xor_sync(0xffff, value, MENDED ? 8 : 16);
    }
}

template <bool MENDED> __device__ __forceinline__ void divergentBarrier(const float* in, float* out) {
    __shared__ volatile float tile[64];
    tile[threadIdx.x] = in[threadIdx.x];
    if (MENDED || threadIdx.x < 48) {
        __syncthreads();
        tile[threadIdx.x] = 2 * tile[threadIdx.x];
    }
    __syncthreads();
    out[threadIdx.x] = tile[63 - threadIdx.x];
}

/** __cvta_generic_to_shared and cp.async by hand, so that no header is needed. */
__device__ __forceinline__ void copyFour(float* shared, const float* global) {
    unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(shared));
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(address), "l"(global) : "memory");
    asm volatile("cp.async.commit_group;" ::: "memory");
}

template <bool MENDED> __device__ __forceinline__ void copyNotWaitedFor(const float* in, float* out) {
    __shared__ float tile[64];
    copyFour(tile + threadIdx.x, in + threadIdx.x);
    if (MENDED) {
        asm volatile("cp.async.wait_group 0;" ::: "memory");
    }
    __syncthreads();
    out[threadIdx.x] = tile[63 - threadIdx.x];
}

template <bool MENDED> __device__ __forceinline__ void copyWithoutBarrier(const float* in, float* out) {
    __shared__ float tile[64];
    copyFour(tile + threadIdx.x, in + threadIdx.x);
    asm volatile("cp.async.wait_group 0;" ::: "memory");
    if (MENDED) {
        __syncthreads();
    }
    out[threadIdx.x] = tile[63 - threadIdx.x];
}

template <bool MENDED> __device__ __forceinline__ void blocksCollide(float* out) {
    if (MENDED) {
        atomicAdd(out + threadIdx.x, 1);
    } else {
        out[threadIdx.x] = blockIdx.x;
    }
}

#define OUT(name) \
    extern "C" __global__ void name##_planted(float* out) { name<false>(out); } \
    extern "C" __global__ void name##_mended(float* out) { name<true>(out); }
#define IN_OUT(name) \
    extern "C" __global__ void name##_planted(const float* in, float* out) { name<false>(in, out); } \
    extern "C" __global__ void name##_mended(const float* in, float* out) { name<true>(in, out); }

extern "C" __global__ void outOfBounds_planted(float* out, int n) { outOfBounds<false>(out, n); }
extern "C" __global__ void outOfBounds_mended(float* out, int n) { outOfBounds<true>(out, n); }
IN_OUT(misaligned)
IN_OUT(readAfterWrite)
IN_OUT(writeAfterRead)
IN_OUT(missingSyncwarp)
IN_OUT(halfInitialised)
OUT(accumulates)
IN_OUT(shuffleFromNobody)
IN_OUT(divergentBarrier)
IN_OUT(copyNotWaitedFor)
IN_OUT(copyWithoutBarrier)
OUT(blocksCollide)
