// The k largest elements of each row, as log-probabilities, a block to a row.
//
// The columns of a row are dealt out to the threads. Each thread knows the best of its own that has not been taken, the
// block takes the best of these, and only its owner looks through its columns again: one reading of the row, and of a
// thread's part of it for each further element. NaN counts as minus infinity.
#include "softmax_sum.cuh"

constexpr int NOWHERE = 0x7fffffff;

// An element and its column; one with no column comes last.
struct Found {
    float value;
    int column;

    __device__ __forceinline__ bool before(const Found &other) const {
        return value > other.value || (value == other.value && column < other.column);
    }

    // The better of two.
    __device__ __forceinline__ void meet(Found other) {
        if (other.before(*this)) {
            *this = other;
        }
    }

    __device__ __forceinline__ void meet_warp() {
        for (int distance = WARP / 2; distance > 0; distance /= 2) {
            meet({__shfl_xor_sync(ALL_LANES, value, distance), __shfl_xor_sync(ALL_LANES, column, distance)});
        }
    }

    // The best of the threads', in every thread.
    __device__ __forceinline__ Found of_block(Found *scratch) const {
        Found best = *this;
        best.meet_warp();
        if (threadIdx.x % WARP == 0) {
            scratch[threadIdx.x / WARP] = best;
        }
        __syncthreads();
        bool used = threadIdx.x % WARP < blockDim.x / WARP;
        best = used ? scratch[threadIdx.x % WARP] : Found{-INFINITY, NOWHERE};
        best.meet_warp();
        __syncthreads();
        return best;
    }
};

template <typename T> __device__ __forceinline__ Found element(const T *row, int64_t column) {
    float value = to_float(row[column]);
    return {isnan(value) ? -INFINITY : value, static_cast<int>(column)};
}

template <typename T> __device__ void top_k(const T *x, int64_t columns, int k, float *values, int *indices) {
    __shared__ Found scratch[WARP];
    const T *row = x + blockIdx.x * columns;
    SoftmaxSum total = {-INFINITY, 0};
    Found own = {-INFINITY, NOWHERE};
    for (int64_t i = threadIdx.x; i < columns; i += blockDim.x) {
        total.add(to_float(row[i]));
        own.meet(element(row, i));
    }
    float lse = total.log_sum_exp();
    for (int taken = 0; taken < k; taken++) {
        Found best = own.of_block(scratch);
        if (threadIdx.x == 0) {
            int64_t at = static_cast<int64_t>(blockIdx.x) * k + taken;
            values[at] = best.value - lse;
            indices[at] = best.column;
        }
        if (own.column == best.column) {
            own = {-INFINITY, NOWHERE};
            for (int64_t i = threadIdx.x; i < columns; i += blockDim.x) {
                Found next = element(row, i);
                if (best.before(next)) {
                    own.meet(next);
                }
            }
        }
    }
}

#define PARAMETERS(T) (const T *x, int64_t columns, int k, float *values, int *indices)
FOR_FLOATS(top_k, PARAMETERS, (x, columns, k, values, indices))
