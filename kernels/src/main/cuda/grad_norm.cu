// The norm over several tensors: a partial sum per block, then the root of their sum, both in a fixed order.
#include "slots.cuh"

// One tensor; the Java side is CudaGradNorm.
struct NormSlot {
    int64_t address;
    int64_t count;
    int64_t first_block;
};

template <typename T>
__device__ void grad_norm_squares(const NormSlot *slots, int slot_count, int64_t chunk, float *partial) {
    __shared__ float scratch[WARP + 1];
    constexpr int SIZE = Vector<T>::SIZE;
    int stride = sizeof(NormSlot) / sizeof(int64_t);
    NormSlot slot = slots[find_slot(&slots->first_block, stride, slot_count, blockIdx.x)];
    const T *x = reinterpret_cast<const T *>(slot.address);
    int64_t from = (blockIdx.x - slot.first_block) * chunk;
    int64_t to = from + chunk < slot.count ? from + chunk : slot.count;
    float sum = 0;
    for (int64_t i = from + threadIdx.x * SIZE; i < to; i += static_cast<int64_t>(blockDim.x) * SIZE) {
        if (i + SIZE <= to) {
            Vector<T> v;
            v.load(x + i);
#pragma unroll
            for (int j = 0; j < SIZE; j++) {
                float value = to_float(v.element[j]);
                sum += value * value;
            }
        } else {
            for (int64_t j = i; j < to; j++) {
                float value = to_float(x[j]);
                sum += value * value;
            }
        }
    }
    sum = block_sum(sum, scratch);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = sum;
    }
}

#define PARAMETERS(T) (const NormSlot *slots, int slot_count, int64_t chunk, float *partial)
FOR_FLOATS(grad_norm_squares, PARAMETERS, (slots, slot_count, chunk, partial))

extern "C" __global__ void grad_norm_root(const float *partial, int64_t count, float *norm) {
    __shared__ float scratch[WARP + 1];
    float sum = 0;
    for (int64_t i = threadIdx.x; i < count; i += blockDim.x) {
        sum += partial[i];
    }
    sum = block_sum(sum, scratch);
    if (threadIdx.x == 0) {
        *norm = sqrtf(sum);
    }
}
