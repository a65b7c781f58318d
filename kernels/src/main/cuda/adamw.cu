// One AdamW update of all parameters, each element read and written once.
#include "slots.cuh"

// A parameter and its state; the Java side is CudaAdamW.
struct AdamSlot {
    int64_t weight;
    int64_t gradient;
    int64_t m;
    int64_t v;
    int64_t count;
    int64_t first_block;
    int64_t decay; // the bits of a float
};

// What all parameters share: rate is lr sqrt(1 - beta2^t) / (1 - beta1^t), eps is eps sqrt(1 - beta2^t).
struct AdamFactors {
    float clip;
    float keep;
    float take1;
    float beta2;
    float take2;
    float rate;
    float eps;

    __device__ __forceinline__ void update(float gradient, float &weight, float &m, float &v) const {
        float g = gradient * clip;
        m += take1 * (g - m);
        v = beta2 * v + take2 * g * g;
        weight = weight * keep - rate * (m / (sqrtf(v) + eps));
    }
};

template <typename T>
__device__ void adamw_update(const AdamSlot *slots, int slot_count, int64_t chunk, const float *norm, float max_norm,
                             float learning_rate, float take1, float beta2, float take2, float rate, float eps) {
    constexpr int SIZE = Vector<T>::SIZE;
    int stride = sizeof(AdamSlot) / sizeof(int64_t);
    AdamSlot slot = slots[find_slot(&slots->first_block, stride, slot_count, blockIdx.x)];
    T *weight = reinterpret_cast<T *>(slot.weight);
    const T *gradient = reinterpret_cast<const T *>(slot.gradient);
    T *m = reinterpret_cast<T *>(slot.m);
    T *v = reinterpret_cast<T *>(slot.v);
    float keep = 1 - learning_rate * __int_as_float(static_cast<int>(slot.decay));
    AdamFactors factors = {clip_factor(norm, max_norm), keep, take1, beta2, take2, rate, eps};
    int64_t from = (blockIdx.x - slot.first_block) * chunk;
    int64_t to = from + chunk < slot.count ? from + chunk : slot.count;
    for (int64_t i = from + threadIdx.x * SIZE; i < to; i += static_cast<int64_t>(blockDim.x) * SIZE) {
        if (i + SIZE <= to) {
            Vector<T> vw, vg, vm, vv;
            vw.load(weight + i);
            vg.load(gradient + i);
            vm.load(m + i);
            vv.load(v + i);
#pragma unroll
            for (int j = 0; j < SIZE; j++) {
                float fw = to_float(vw.element[j]), fm = to_float(vm.element[j]), fv = to_float(vv.element[j]);
                factors.update(to_float(vg.element[j]), fw, fm, fv);
                vw.element[j] = from_float<T>(fw);
                vm.element[j] = from_float<T>(fm);
                vv.element[j] = from_float<T>(fv);
            }
            vw.store(weight + i);
            vm.store(m + i);
            vv.store(v + i);
        } else {
            for (int64_t j = i; j < to; j++) {
                float fw = to_float(weight[j]), fm = to_float(m[j]), fv = to_float(v[j]);
                factors.update(to_float(gradient[j]), fw, fm, fv);
                weight[j] = from_float<T>(fw);
                m[j] = from_float<T>(fm);
                v[j] = from_float<T>(fv);
            }
        }
    }
}

#define PARAMETERS(T) (const AdamSlot *slots, int slot_count, int64_t chunk, const float *norm, float max_norm, \
                       float learning_rate, float take1, float beta2, float take2, float rate, float eps)
FOR_FLOATS(adamw_update, PARAMETERS,
           (slots, slot_count, chunk, norm, max_norm, learning_rate, take1, beta2, take2, rate, eps))
