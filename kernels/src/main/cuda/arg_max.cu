// The column of each row's largest element, a block to a row. NaNs are passed over; a row of nothing else gives 0.
#include "rows.cuh"

constexpr int NOWHERE = 0x7fffffff;

// An element and its column.
struct Found {
    float value;
    int column;

    // The larger of two; the lower column of equals.
    __device__ __forceinline__ void meet(float other, int place) {
        if (other > value || (other == value && place < column)) {
            value = other;
            column = place;
        }
    }

    __device__ __forceinline__ void meet_warp() {
        for (int distance = WARP / 2; distance > 0; distance /= 2) {
            float other = __shfl_xor_sync(ALL_LANES, value, distance);
            int place = __shfl_xor_sync(ALL_LANES, column, distance);
            meet(other, place);
        }
    }
};

template <typename T, int WIDTH> __device__ __forceinline__ void search(const T *row, int64_t columns, Found &best) {
    for (int64_t i = static_cast<int64_t>(threadIdx.x) * WIDTH; i < columns; i += blockDim.x * WIDTH) {
        float value[WIDTH];
        load<T, WIDTH>(row + i, value);
#pragma unroll
        for (int j = 0; j < WIDTH; j++) {
            best.meet(value[j], static_cast<int>(i) + j);
        }
    }
}

template <typename T> __device__ void arg_max(const T *x, int *indices, int64_t columns) {
    __shared__ Found found[WARP];
    Found best = {-INFINITY, NOWHERE};
    FOR_WIDTH(search, T, columns, (x + blockIdx.x * columns, columns, best))
    best.meet_warp();
    if (threadIdx.x % WARP == 0) {
        found[threadIdx.x / WARP] = best;
    }
    __syncthreads();
    if (threadIdx.x < WARP) {
        best = threadIdx.x < blockDim.x / WARP ? found[threadIdx.x] : Found{-INFINITY, NOWHERE};
        best.meet_warp();
        if (threadIdx.x == 0) {
            indices[blockIdx.x] = best.column == NOWHERE ? 0 : best.column;
        }
    }
}

#define PARAMETERS(T) (const T *x, int *indices, int64_t columns)
FOR_FLOATS(arg_max, PARAMETERS, (x, indices, columns))
