// The log-sum-exp of a row.
#pragma once

#include "common.cuh"

// The largest of some numbers, and the sum of their exponentials relative to it. A number that is not finite takes the
// course it has in log(sum(exp(x))).
struct SoftmaxSum {
    float largest;
    float sum;

    __device__ __forceinline__ void add(float x) {
        if (x > largest) {
            // x - x is 0, or NaN where x is infinite, as exp(x - largest) is then.
            sum = sum * expf(largest - x) + (1 + (x - x));
            largest = x;
        } else if (x != -INFINITY) {
            sum += expf(x - largest);
        }
    }

    __device__ __forceinline__ void merge(float other_largest, float other_sum) {
        float both = fmaxf(largest, other_largest);
        float mine = largest == both ? sum : sum * expf(largest - both);
        float others = other_largest == both ? other_sum : other_sum * expf(other_largest - both);
        largest = both;
        sum = mine + others;
    }

    __device__ __forceinline__ void merge_warp() {
        for (int distance = WARP / 2; distance > 0; distance /= 2) {
            float other_largest = __shfl_xor_sync(ALL_LANES, largest, distance);
            float other_sum = __shfl_xor_sync(ALL_LANES, sum, distance);
            merge(other_largest, other_sum);
        }
    }

    // Of the sums of all threads of the block, the log-sum-exp, in thread 0.
    __device__ __forceinline__ float log_sum_exp() {
        __shared__ float maxima[WARP];
        __shared__ float sums[WARP];
        merge_warp();
        if (threadIdx.x % WARP == 0) {
            maxima[threadIdx.x / WARP] = largest;
            sums[threadIdx.x / WARP] = sum;
        }
        __syncthreads();
        if (threadIdx.x < WARP) {
            bool used = threadIdx.x < blockDim.x / WARP;
            largest = used ? maxima[threadIdx.x] : -INFINITY;
            sum = used ? sums[threadIdx.x] : 0;
            merge_warp();
        }
        return largest + logf(sum);
    }
};
