// y = x in another type, rounded to nearest even.
//
// A thread moves four elements, so that the wider type goes by accesses of 16 bytes without gaps between the lanes.
#include "elementwise.cuh"

template <typename From, typename To>
__device__ __forceinline__ void cast(const From *x, To *y, int64_t n, bool accumulate) {
    Part<4> part(n);
    float value[4];
    part.load(x, value);
    part.put(value, y, accumulate);
}

#define CAST(FROM, FROM_TYPE, TO, TO_TYPE)                                                                      \
    extern "C" __global__ void cast_##FROM##_##TO(const FROM_TYPE *x, TO_TYPE *y, int64_t n, bool accumulate) { \
        cast(x, y, n, accumulate);                                                                              \
    }
#define CAST_FROM(FROM, FROM_TYPE)                                                                              \
    CAST(FROM, FROM_TYPE, f32, float) CAST(FROM, FROM_TYPE, f16, __half) CAST(FROM, FROM_TYPE, bf16, __nv_bfloat16)

CAST_FROM(f32, float)
CAST_FROM(f16, __half)
CAST_FROM(bf16, __nv_bfloat16)
