// Places in the experts by a counting sort that keeps the order: tokens in groups, and in each group all first choices
// before all second ones. Chunk by chunk there are counts; here they become those of the chunks before.
#pragma once

#include "route_choose.cuh"
#include "route_ranks.cuh"

// What Route gives beside places. One block: from how many entries of each group want each expert and how many have a
// place, asked and taken [E, groups], and the chunks' sums. `taken` becomes where a group's places begin.
struct Summary {
    int *offsets;
    int *counts;
    float *balance;
    float *z;
    // Those of Routing: tokens, entries without a place, mean entropy, mean probability of the first choice.
    float *stats;

    // moved_gates: what groups add to the sum of the gates since they were summed up; null for nothing.
    __device__ __forceinline__ void write(const int *asked, int *taken, int groups, const float *partial, int chunks,
            const float *moved_gates, int experts, int choices) const {
        __shared__ int scratch[WARP];
        __shared__ float sums[WARP + 1];
        __shared__ float figures[FIGURES];
        int lane = threadIdx.x % WARP, entries = 0, rows = 0;
        int64_t pairs = static_cast<int64_t>(experts) * groups;
        for (int64_t from = 0; from < pairs; from += blockDim.x) {
            int64_t i = from + threadIdx.x;
            Before before = block_before(i < pairs ? taken[i] : 0, scratch);
            if (i < pairs) {
                taken[i] = rows + before.sum;
                if (i % groups == 0) {
                    offsets[i / groups] = rows + before.sum;
                }
            }
            rows += before.total;
        }
        float product = 0;
        for (int row = threadIdx.x / WARP; row < experts + FIGURES; row += blockDim.x / WARP) {
            float sum = 0;
            for (int chunk = lane; chunk < chunks; chunk += WARP) {
                sum += partial[static_cast<int64_t>(row) * chunks + chunk];
            }
            int wishes = 0;
            for (int group = lane; group < groups; group += WARP) {
                wishes += row < experts ? asked[static_cast<int64_t>(row) * groups + group] : 0;
                sum += row == experts + GATES && moved_gates != nullptr ? moved_gates[group] : 0;
            }
            sum = warp_sum(sum);
            wishes = warp_total(wishes);
            if (lane == 0 && row < experts) {
                counts[row] = wishes;
                entries += wishes;
                product += sum * wishes;
            } else if (lane == 0) {
                figures[row - experts] = sum;
            }
        }
        entries = block_before(entries, scratch).total;
        product = block_sum(product, sums);
        if (threadIdx.x == 0) {
            offsets[experts] = rows;
            int tokens = entries / choices;
            float mean = 1 / fmaxf(1, tokens);
            *balance = product * mean * mean * experts / choices;
            *z = figures[SQUARES] * mean;
            stats[0] = static_cast<float>(tokens);
            stats[1] = static_cast<float>(entries - rows);
            stats[2] = figures[ENTROPY] * mean;
            stats[3] = figures[GATES] * mean;
        }
    }
};

// A block per group: turns counts [E, rows] into those of the rows before, and gives the group's sums, places and
// capacity. Where there is one group, it also writes the summary.
//
// Shared memory: an int for each expert.
extern "C" __global__ void __launch_bounds__(512) route_scan(const Group *groups, int *counts, int64_t rows,
        int *asked, int *taken, int *capacities, const float *partial, int chunks, int *offsets, int *wishes,
        float *balance, float *z, float *stats, int experts, int choices, int policy, double factor, int least) {
    extern __shared__ int sums[];
    __shared__ int entries;
    Group begin, end;
    group_of_block(groups, begin, end);
    int lane = threadIdx.x % WARP;
    if (threadIdx.x == 0) {
        entries = 0;
    }
    __syncthreads();
    int64_t last = static_cast<int64_t>(end.chunk) * choices;
    for (int e = threadIdx.x / WARP; e < experts; e += blockDim.x / WARP) {
        int *row = counts + e * rows;
        int sum = 0;
        for (int64_t from = static_cast<int64_t>(begin.chunk) * choices; from < last; from += WARP) {
            int64_t i = from + lane;
            int count = i < last ? row[i] : 0;
            int until = sum_until(count);
            if (i < last) {
                row[i] = sum + until - count;
            }
            sum += __shfl_sync(ALL_LANES, until, WARP - 1);
        }
        if (lane == 0) {
            sums[e] = sum;
            atomicAdd(&entries, sum);
        }
    }
    __syncthreads();
    int room = Capacity{policy, factor, least}.of(entries, experts, choices);
    for (int e = threadIdx.x; e < experts; e += blockDim.x) {
        int64_t pair = static_cast<int64_t>(e) * gridDim.x + blockIdx.x;
        asked[pair] = sums[e];
        taken[pair] = min(sums[e], room);
    }
    if (threadIdx.x == 0) {
        capacities[blockIdx.x] = room;
    }
    if (gridDim.x == 1) {
        __syncthreads();
        Summary{offsets, wishes, balance, z, stats}.write(asked, taken, 1, partial, chunks, nullptr, experts, choices);
    }
}

// One block.
extern "C" __global__ void __launch_bounds__(512) route_summary(const int *asked, int *taken, int groups,
        const float *partial, int chunks, const float *moved_gates, int *offsets, int *wishes, float *balance, float *z,
        float *stats, int experts, int choices) {
    Summary{offsets, wishes, balance, z, stats}.write(asked, taken, groups, partial, chunks, moved_gates, experts,
        choices);
}
