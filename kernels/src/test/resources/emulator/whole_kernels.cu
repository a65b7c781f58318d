// Kernels as nvcc compiles them, for WholeKernelsTest. To make the PTX anew:
//   nvcc -ptx -O3 -arch=compute_75 -o whole_kernels.ptx whole_kernels.cu
// and lower its .version to 6.5.

__constant__ float table[5] = {1.0f, 2.5f, -3.0f, 4.0f, 5.0f};
__device__ int launches = 40;

extern "C" __global__ void add(const float *__restrict__ a, const float *__restrict__ b, float *c, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        c[i] = a[i] + b[i];
    }
}

// The sum of 4 n floats: a stride over the grid, then a warp's lanes, a block's warps, and an atomic.
extern "C" __global__ void sum(const float4 *x, float *total, int n) {
    __shared__ float of_warp[32];
    float part = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
        float4 four = x[i];
        part += four.x + four.y + four.z + four.w;
    }
    for (int offset = 16; offset > 0; offset /= 2) {
        part += __shfl_xor_sync(0xffffffff, part, offset);
    }
    if (threadIdx.x % 32 == 0) {
        of_warp[threadIdx.x / 32] = part;
    }
    __syncthreads();
    if (threadIdx.x < 32) {
        part = threadIdx.x < blockDim.x / 32 ? of_warp[threadIdx.x] : 0;
        for (int offset = 16; offset > 0; offset /= 2) {
            part += __shfl_down_sync(0xffffffff, part, offset);
        }
        if (threadIdx.x == 0) {
            atomicAdd(total, part);
        }
    }
}

// C = A B of square matrices, a tile of 16 x 16 for each block.
extern "C" __global__ void multiply(const float *A, const float *B, float *C, int n) {
    __shared__ float a[16][17], b[16][16];
    int x = threadIdx.x, y = threadIdx.y;
    float sum = 0;
    for (int k = 0; k < n; k += 16) {
        a[y][x] = A[(blockIdx.y * 16 + y) * n + k + x];
        b[y][x] = B[(k + y) * n + blockIdx.x * 16 + x];
        __syncthreads();
#pragma unroll
        for (int j = 0; j < 16; j++) {
            sum += a[y][j] * b[j][x];
        }
        __syncthreads();
    }
    C[(blockIdx.y * 16 + y) * n + blockIdx.x * 16 + x] = sum;
}

// The softmax of a row for each block.
extern "C" __global__ void softmax(const float *x, float *y, int columns) {
    __shared__ float shared[32];
    const float *row = x + blockIdx.x * columns;
    float largest = -INFINITY;
    for (int c = threadIdx.x; c < columns; c += blockDim.x) {
        largest = fmaxf(largest, row[c]);
    }
    shared[threadIdx.x] = largest;
    __syncthreads();
    for (int i = 0; i < blockDim.x; i++) {
        largest = fmaxf(largest, shared[i]);
    }
    float sum = 0;
    for (int c = 0; c < columns; c++) {
        sum += expf(row[c] - largest);
    }
    for (int c = threadIdx.x; c < columns; c += blockDim.x) {
        y[blockIdx.x * columns + c] = expf(row[c] - largest) / sum;
    }
}

// sin in double precision calls a function for large arguments; local arrays are indexed; constants are read.
extern "C" __global__ void mixture(const double *x, double *y, int *seen) {
    int i = threadIdx.x;
    float local[8];
    for (int k = 0; k < 8; k++) {
        local[k] = table[k % 5] + k;
    }
    local[i % 8] += 100;
    y[i] = sin(x[i]) + local[(i * 3) % 8];
    switch (i % 6) {
    case 0: seen[i] = 10; break;
    case 1: seen[i] = __popc(i); break;
    case 2: seen[i] = i / 7; break;
    case 3: seen[i] = i % 7; break;
    case 4: seen[i] = -i; break;
    }
    if (i == 0) {
        seen[0] += ++launches;
    }
}

// Each thread's bin is counted in shared memory, and the blocks' counts are added up.
extern "C" __global__ void histogram(const int *values, int *counts, int n) {
    extern __shared__ int own[];
    own[threadIdx.x] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
        atomicAdd(&own[values[i]], 1);
    }
    __syncthreads();
    atomicAdd(&counts[threadIdx.x], own[threadIdx.x]);
}
