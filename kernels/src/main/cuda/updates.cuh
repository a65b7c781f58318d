// Which parameters an optimiser's update changes, decided on the device: io.mixt5.engine.op.Updates.
#pragma once

#include "slots.cuh"

// The Java side is CudaKernel.updates.
struct Updates {
    float *counts;          // updates that each parameter has had
    const float *norm;      // of all gradients, or null
    float max_norm;         // 0 does not clip
    float max_usable_norm;  // finite

    // Counts one more update of a parameter; its number, from 1, or 0 when the parameter stays as it is: the norm is too
    // large or NaN, or the gradient comes from no row.
    __device__ __forceinline__ int next(int64_t place, const int *rows) const {
        if ((norm != nullptr && !(*norm <= max_usable_norm)) || (rows != nullptr && *rows == 0)) {
            return 0;
        }
        int update = static_cast<int>(counts[place]) + 1;
        counts[place] = static_cast<float>(update);
        return update;
    }

    // GradNorm.clipFactor: 1 without a norm or a maximum.
    __device__ __forceinline__ float clip_factor() const {
        if (norm == nullptr || max_norm == 0) {
            return 1;
        }
        float factor = max_norm / (*norm + 1e-6f);
        return factor >= 1 ? 1 : factor;
    }
};

#define UPDATES_PARAMETERS float *counts, const float *norm, float max_norm, float max_usable_norm
#define UPDATES_ARGUMENTS Updates{counts, norm, max_norm, max_usable_norm}
