// Places in the experts by a counting sort that keeps the order: tokens in groups, groups in chunks of a warp's size,
// and in each group all first choices before all second ones.
//
// Row r of `counts` [rows, E + 1] is a chunk of one choice's entries, in that order, with how many of them chose each
// expert and, in the last column, how many are no padding.
#pragma once

#include "warp_rows.cuh"

// What slots hold while places are given: no place yet, but experts left to try.
constexpr int WAITING = -2;

// io.mixt5.engine.op.Route.Policy, by ordinal.
constexpr int DROPLESS = 0;
constexpr int NO_TOKEN_LEFT_BEHIND = 2;

// How many places an expert has in a group.
struct Capacity {
    int policy;
    double factor;
    int least;

    // `entries` that are no padding, `experts` in all; the same arithmetic as Route.Spec.capacity.
    __device__ __forceinline__ int of(int entries, int experts, int choices) const {
        if (policy == DROPLESS) {
            return entries / choices;
        }
        return max(least, static_cast<int>(ceil(factor * entries / experts)));
    }
};

// Where groups begin: tokens[2 g] and, counted in chunks, tokens[2 g + 1]; those of the end at g = number of groups.
struct Groups {
    const int *begins;
    int count;

    __device__ __forceinline__ int token(int group) const { return begins[2 * group]; }

    __device__ __forceinline__ int chunk(int group) const { return begins[2 * group + 1]; }

    // The group of a chunk: the last one that begins there or before, empty ones aside.
    __device__ __forceinline__ int of(int chunk_number) const {
        int low = 0, high = count;
        while (high - low > 1) {
            int middle = (low + high) / 2;
            (chunk(middle) <= chunk_number ? low : high) = middle;
        }
        return low;
    }
};

// One choice of a chunk's tokens, lane l having token l.
struct Chunk {
    int group;
    // Row of counts.
    int64_t row;
    // The lane's entry, and its expert; -1 where there is none.
    int64_t entry;
    int expert;

    __device__ __forceinline__ Chunk(Groups groups, int64_t number, const int *experts, int choices) {
        int chunk = static_cast<int>(number / choices), choice = static_cast<int>(number % choices);
        group = groups.of(chunk);
        int begin = groups.chunk(group), length = groups.chunk(group + 1) - begin;
        row = static_cast<int64_t>(begin) * choices + static_cast<int64_t>(choice) * length + chunk - begin;
        int64_t token = groups.token(group) + (chunk - begin) * WARP + threadIdx.x % WARP;
        entry = token < groups.token(group + 1) ? token * choices + choice : -1;
        expert = entry < 0 ? -1 : experts[entry];
    }
};

__device__ __forceinline__ unsigned lanes_before() { return (1u << threadIdx.x % WARP) - 1; }

// The sum over the lanes up to and with this one.
__device__ __forceinline__ int sum_until(int x) {
    for (int distance = 1; distance < WARP; distance *= 2) {
        int before = __shfl_up_sync(ALL_LANES, x, distance);
        x += threadIdx.x % WARP >= distance ? before : 0;
    }
    return x;
}

// A warp per row: how many entries chose each expert.
extern "C" __global__ void route_count(const int *chosen, const int *begins, int groups, int *counts, int64_t rows,
        int experts, int choices) {
    int64_t number = warp_number();
    if (number >= rows) {
        return;
    }
    int lane = threadIdx.x % WARP;
    Chunk chunk(Groups{begins, groups}, number, chosen, choices);
    int *row = counts + chunk.row * (experts + 1);
    for (int e = lane; e < experts; e += WARP) {
        row[e] = 0;
    }
    unsigned same = __match_any_sync(ALL_LANES, chunk.expert);
    unsigned entries = __ballot_sync(ALL_LANES, chunk.expert >= 0);
    __syncwarp();
    if (chunk.expert >= 0 && (same & lanes_before()) == 0) {
        row[chunk.expert] = __popc(same);
    }
    if (lane == 0) {
        row[experts] = __popc(entries);
    }
}

// A warp per group and column: turns counts into those of the rows before, and writes the group's sums to asked.
extern "C" __global__ void route_scan(const int *begins, int groups, int *counts, int *asked, int experts,
        int choices) {
    int64_t number = warp_number();
    int columns = experts + 1;
    if (number >= static_cast<int64_t>(groups) * columns) {
        return;
    }
    int group = static_cast<int>(number / columns), column = static_cast<int>(number % columns);
    Groups all{begins, groups};
    int64_t end = static_cast<int64_t>(all.chunk(group + 1)) * choices;
    int sum = 0;
    for (int64_t from = static_cast<int64_t>(all.chunk(group)) * choices; from < end; from += WARP) {
        int64_t row = from + threadIdx.x % WARP;
        int count = row < end ? counts[row * columns + column] : 0;
        int until = sum_until(count);
        if (row < end) {
            counts[row * columns + column] = sum + until - count;
        }
        sum += __shfl_sync(ALL_LANES, until, WARP - 1);
    }
    if (threadIdx.x % WARP == 0) {
        asked[number] = sum;
    }
}

// A warp per row of counts: each entry's place within its group and expert, by its rank.
extern "C" __global__ void route_rank(const int *chosen, const int *begins, int groups, const int *counts,
        const int *asked, int *slots, int64_t rows, int experts, int choices, int policy, double factor, int least) {
    int64_t number = warp_number();
    if (number >= rows) {
        return;
    }
    Chunk chunk(Groups{begins, groups}, number, chosen, choices);
    unsigned same = __match_any_sync(ALL_LANES, chunk.expert);
    if (chunk.entry < 0) {
        return;
    }
    int slot = -1;
    if (chunk.expert >= 0) {
        int entries = asked[chunk.group * static_cast<int64_t>(experts + 1) + experts];
        int rank = counts[chunk.row * (experts + 1) + chunk.expert] + __popc(same & lanes_before());
        bool fits = rank < Capacity{policy, factor, least}.of(entries, experts, choices);
        slot = fits ? rank : policy == NO_TOKEN_LEFT_BEHIND ? WAITING : -1;
    }
    slots[chunk.entry] = slot;
}

// A thread per group and expert: how many places the first round has taken.
extern "C" __global__ void route_take(const int *asked, int *taken, int groups, int experts, int choices, int policy,
        double factor, int least) {
    int64_t number = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (number >= static_cast<int64_t>(groups) * experts) {
        return;
    }
    const int *row = asked + number / experts * (experts + 1);
    int capacity = Capacity{policy, factor, least}.of(row[experts], experts, choices);
    taken[number] = min(row[number % experts], capacity);
}

// One block: where experts begin, and in them the groups, whose places taken become those of the groups before.
extern "C" __global__ void route_offsets(const int *asked, int *taken, int groups, int experts, int choices,
        int *offsets, int *counts, float *stats) {
    __shared__ int entries;
    int lane = threadIdx.x % WARP;
    for (int column = threadIdx.x / WARP; column <= experts; column += blockDim.x / WARP) {
        int sum = 0, wishes = 0;
        for (int from = 0; from < groups; from += WARP) {
            int64_t group = from + lane;
            int64_t place = group * experts + column;
            bool counted = group < groups && column < experts;
            int count = counted ? taken[place] : 0;
            int until = sum_until(count);
            if (counted) {
                taken[place] = sum + until - count;
            }
            sum += __shfl_sync(ALL_LANES, until, WARP - 1);
            wishes += group < groups ? asked[group * (experts + 1) + column] : 0;
        }
        wishes = __shfl_sync(ALL_LANES, sum_until(wishes), WARP - 1);
        if (lane == 0 && column < experts) {
            offsets[column] = sum;
            counts[column] = wishes;
        } else if (lane == 0) {
            entries = wishes;
        }
    }
    __syncthreads();
    if (threadIdx.x >= WARP) {
        return;
    }
    int sum = 0;
    for (int from = 0; from < experts; from += WARP) {
        int e = from + lane;
        int count = e < experts ? offsets[e] : 0;
        int until = sum_until(count);
        if (e < experts) {
            offsets[e] = sum + until - count;
        }
        sum += __shfl_sync(ALL_LANES, until, WARP - 1);
    }
    if (lane == 0) {
        offsets[experts] = sum;
        stats[0] = static_cast<float>(entries / choices);
        stats[1] = static_cast<float>(entries - sum);
    }
}
