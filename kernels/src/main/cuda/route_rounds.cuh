// No token left behind: entries that found their expert full try one expert after another, round by round.
#pragma once

#include "route_choice.cuh"
#include "route_places.cuh"

// Writes the items that are to be kept to list, in order, and returns how many; item i may be list[i]. All threads of
// the block take part; `scratch` holds an int for each warp.
template <typename Item, typename Keep>
__device__ int compact(int count, int *list, Item item, Keep keep, int *scratch) {
    int kept = 0;
    for (int from = 0; from < count; from += blockDim.x) {
        int i = from + threadIdx.x;
        int entry = i < count ? item(i) : -1;
        bool keeps = i < count && keep(i, entry);
        unsigned votes = __ballot_sync(ALL_LANES, keeps);
        if (threadIdx.x % WARP == 0) {
            scratch[threadIdx.x / WARP] = __popc(votes);
        }
        __syncthreads();
        int before = 0, total = 0;
        for (int warp = 0; warp < blockDim.x / WARP; warp++) {
            before += warp < threadIdx.x / WARP ? scratch[warp] : 0;
            total += scratch[warp];
        }
        __syncthreads();
        if (keeps) {
            list[kept + before + __popc(votes & lanes_before())] = entry;
        }
        kept += total;
    }
    __syncthreads();
    return kept;
}

// A block per group. An entry wants the best expert that its token has not tried; where several of a token's entries
// wait, each wants the one after the last's. So all wishes of a round are known at its start, and are granted by rank.
//
// first: the choices before any was sent on. waiting, wanted: room for all entries. cursors [2, N]: the last expert
// that each token has tried in a round, for every other round.
extern "C" __global__ void route_rounds(const float *logits, const int *first, const int *begins, int groups,
        const int *asked, int *taken, int *chosen, int *slots, int *waiting, int *wanted, int *cursors, int tokens,
        int experts, int choices, int policy, double factor, int least) {
    __shared__ int scratch[WARP];
    int group = blockIdx.x;
    Groups all{begins, groups};
    int from_token = all.token(group), length = all.token(group + 1) - from_token;
    int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
    int entries = asked[group * static_cast<int64_t>(experts + 1) + experts];
    int capacity = Capacity{policy, factor, least}.of(entries, experts, choices);
    int *list = waiting + static_cast<int64_t>(from_token) * choices;
    int *wish = wanted + static_cast<int64_t>(from_token) * choices;
    int *places = taken + static_cast<int64_t>(group) * experts;
    for (int i = threadIdx.x; i < length; i += blockDim.x) {
        cursors[from_token + i] = -1;
    }
    int count = compact(
            length * choices, list, [=](int i) { return (from_token + i % length) * choices + i / length; },
            [=](int i, int entry) { return slots[entry] == WAITING; }, scratch);
    for (int round = 0; count > 0; round++) {
        const int *cursor = cursors + (round % 2 == 0 ? 0 : tokens);
        int *next_cursor = cursors + (round % 2 == 0 ? tokens : 0);
        for (int i = warp; i < count; i += warps) {
            int token = list[i] / choices, choice = list[i] % choices;
            int64_t entry = static_cast<int64_t>(token) * choices + lane;
            int tried = lane < choices ? first[entry] : -1;
            unsigned pending = __ballot_sync(ALL_LANES, lane < choices && slots[entry] == WAITING);
            int at = cursor[token], best = at;
            for (int turn = __popc(pending & ((1u << choice) - 1)); turn >= 0 && best == at; turn--) {
                best = best_after(logits + static_cast<int64_t>(token) * experts, experts, at, tried, choices);
                at = best < 0 ? at : best;
            }
            if (lane == 0) {
                wish[i] = best;
                if (pending >> choice == 1) {
                    next_cursor[token] = at;
                }
            }
        }
        __syncthreads();
        for (int e = warp; e < experts; e += warps) {
            int place = places[e];
            for (int from = 0; from < count && place < capacity; from += WARP) {
                int i = from + lane;
                bool wants = i < count && wish[i] == e;
                unsigned votes = __ballot_sync(ALL_LANES, wants);
                int rank = place + __popc(votes & lanes_before());
                if (wants && rank < capacity) {
                    slots[list[i]] = rank;
                    chosen[list[i]] = e;
                }
                place = min(capacity, place + __popc(votes));
            }
            __syncwarp();
            if (lane == 0) {
                places[e] = place;
            }
        }
        __syncthreads();
        count = compact(
                count, list, [=](int i) { return list[i]; },
                [=](int i, int entry) {
                    if (wish[i] < 0) {
                        slots[entry] = -1;
                    }
                    return slots[entry] == WAITING;
                },
                scratch);
    }
}
