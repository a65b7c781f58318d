// One AdamW update of all parameters, each element read and written once.
#include "updates.cuh"

// A parameter and its state; the Java side is CudaAdamW.
struct AdamSlot {
    int64_t weight;
    int64_t gradient;
    int64_t m;
    int64_t v;
    int64_t count;
    int64_t first_block;
    int64_t decay; // the bits of a float
    int64_t rows;  // of the gradient; null when they do not matter
    int64_t place; // of the parameter's number of updates
};

// What one parameter's number of updates, and all gradients' norm, make of the settings.
struct AdamPace {
    int due; // 0 when the parameter stays as it is
    float clip;
    float rate; // lr sqrt(1 - beta2^t) / (1 - beta1^t)
    float eps;  // eps sqrt(1 - beta2^t)
};

// x^t by squaring, for t > 0. Of the relative error, at most about t / 2^53, nothing is left in the float that 1 - x^t
// becomes: where t is so large, x^t is next to nothing.
__device__ __forceinline__ double power(double x, int t) {
    double result = 1;
    for (; t > 0; t >>= 1) {
        if (t & 1) {
            result *= x;
        }
        x *= x;
    }
    return result;
}

// Counts the update, by a thread for each parameter.
extern "C" __global__ void adamw_begin(const AdamSlot *slots, int slot_count, UPDATES_PARAMETERS,
                                       double learning_rate, double beta1, double beta2, double eps,
                                       AdamPace *paces) {
    int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= slot_count) {
        return;
    }
    Updates updates = UPDATES_ARGUMENTS;
    int t = updates.next(slots[index].place, reinterpret_cast<const int *>(slots[index].rows));
    double correction1 = 1 - power(beta1, t);
    double correction2 = sqrt(1 - power(beta2, t));
    AdamPace pace = {};
    if (t > 0) {
        pace = {1, updates.clip_factor(), static_cast<float>(learning_rate / correction1 * correction2),
                static_cast<float>(eps * correction2)};
    }
    paces[index] = pace;
}

// One element's update.
struct AdamFactors {
    float clip;
    float keep; // 1 - lr decay
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
__device__ void adamw_update(const AdamSlot *slots, int slot_count, int64_t chunk, const AdamPace *paces,
                             float learning_rate, float take1, float beta2, float take2) {
    constexpr int SIZE = Vector<T>::SIZE;
    int stride = sizeof(AdamSlot) / sizeof(int64_t);
    int index = find_slot(&slots->first_block, stride, slot_count, blockIdx.x);
    AdamPace pace = paces[index];
    if (pace.due == 0) {
        return;
    }
    AdamSlot slot = slots[index];
    T *weight = reinterpret_cast<T *>(slot.weight);
    const T *gradient = reinterpret_cast<const T *>(slot.gradient);
    T *m = reinterpret_cast<T *>(slot.m);
    T *v = reinterpret_cast<T *>(slot.v);
    float keep = 1 - learning_rate * __int_as_float(static_cast<int>(slot.decay));
    AdamFactors factors = {pace.clip, keep, take1, beta2, take2, pace.rate, pace.eps};
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

#define PARAMETERS(T) (const AdamSlot *slots, int slot_count, int64_t chunk, const AdamPace *paces, \
                       float learning_rate, float take1, float beta2, float take2)
FOR_FLOATS(adamw_update, PARAMETERS, (slots, slot_count, chunk, paces, learning_rate, take1, beta2, take2))
