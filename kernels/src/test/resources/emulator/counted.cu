// Kernels whose counters are worked out by hand in CountedKernelsTest. counted.ptx is made of this by
//   nvcc -ptx -arch=compute_80 -O3 -o counted.ptx counted.cu
// whose .version is then lowered to 7.0, and whose comments are removed.

/** Copies 16 bytes a thread. */
extern "C" __global__ void copyVectors(const float4* in, float4* out) {
    out[threadIdx.x] = in[threadIdx.x];
}

/** Reads a column of a matrix of 32 floats a row, one row a thread. */
extern "C" __global__ void readColumn(const float* in, float* out) {
    out[threadIdx.x] = in[32 * threadIdx.x];
}

/** Transposes 32 x 32 floats with 32 x 8 threads through rows of ROW floats in shared memory. */
template <int ROW> __device__ __forceinline__ void transpose(const float* in, float* out) {
    __shared__ float tile[32 * ROW];
    for (int i = 0; i < 4; i++) {
        int row = threadIdx.y + 8 * i;
        tile[row * ROW + threadIdx.x] = in[32 * row + threadIdx.x];
    }
    __syncthreads();
    for (int i = 0; i < 4; i++) {
        int row = threadIdx.y + 8 * i;
        out[32 * row + threadIdx.x] = tile[threadIdx.x * ROW + row];
    }
}

extern "C" __global__ void transposeWithConflicts(const float* in, float* out) {
    transpose<32>(in, out);
}

extern "C" __global__ void transposeWithout(const float* in, float* out) {
    transpose<33>(in, out);
}

/** The first n threads write. */
extern "C" __global__ void writeFirst(float* out, int n) {
    if (threadIdx.x < n) {
        out[threadIdx.x] = 1;
    }
}

/** D = A B of m16n8k16 in half precision, A (16 x 16) and B^T (8 x 16) by cp.async and ldmatrix; one warp. */
extern "C" __global__ void product(const uint4* a, const uint4* b, float2* d) {
    __shared__ uint4 tiles[48];
    unsigned base = static_cast<unsigned>(__cvta_generic_to_shared(tiles));
    unsigned lane = threadIdx.x;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(base + 16 * lane), "l"(a + lane) : "memory");
    if (lane < 16) {
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(base + 512 + 16 * lane), "l"(b + lane)
                     : "memory");
    }
    asm volatile("cp.async.wait_all;" ::: "memory");
    __syncthreads();
    unsigned a0, a1, a2, a3, b0, b1;
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(a0), "=r"(a1), "=r"(a2), "=r"(a3)
                 : "r"(base + 32 * (lane % 16) + 16 * (lane / 16)));
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                 : "=r"(b0), "=r"(b1)
                 : "r"(base + 512 + 32 * (lane % 8) + 16 * (lane / 8 % 2)));
    float zero = 0;
    float d0, d1, d2, d3;
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9},"
                 " {%10, %10, %10, %10};"
                 : "=f"(d0), "=f"(d1), "=f"(d2), "=f"(d3)
                 : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1), "f"(zero));
    d[lane] = make_float2(d0, d1);
    d[lane + 32] = make_float2(d2, d3);
}
