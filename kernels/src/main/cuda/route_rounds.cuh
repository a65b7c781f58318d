// No token left behind: entries that found their expert full try one expert after another, round by round.
#pragma once

#include "route_choice.cuh"
#include "route_chunks.cuh"
#include "route_ranks.cuh"

// What slots hold while places are given: no place yet, but experts left to try.
constexpr int WAITING = -2;

// A block per group. First come, first served; an entry that is left wants the best expert that its token has not tried,
// and where several of a token's entries wait, each wants the one after the last's. So all wishes of a round are known
// at its start, and are granted by rank.
//
// counts [E, rows] are the chunks', from which the capacity follows. all, waiting, wanted: room for all entries, the
// first two as lists of those that have waited and that still do. cursors: the last expert that a token has tried in a
// round, and its logit. moved_gates: what each group's first choices gain in probability.
//
// Shared memory: for each expert an int and one more for each warp.
extern "C" __global__ void route_rounds(const float *logits, const float *probabilities, const Group *groups,
        const int *counts, int64_t rows, int *asked, int *taken, int *chosen, int *slots, float *weights, int *all,
        int *waiting, int *wanted, Choice *cursors, float *moved_gates, int experts, int choices, int policy,
        double factor, int least) {
    extern __shared__ int memory[];
    __shared__ int scratch[WARP];
    __shared__ float sums[WARP + 1];
    Group begin, end;
    group_of_block(groups, begin, end);
    int length = end.token - begin.token;
    int64_t origin = static_cast<int64_t>(begin.token) * choices;
    int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
    int *next = memory;
    Ranks ranks{next + experts, experts};
    all += origin;
    waiting += origin;

    int first_choices = 0;
    for (int64_t i = threadIdx.x; i < static_cast<int64_t>(experts) * (end.chunk - begin.chunk); i += blockDim.x) {
        int64_t e = i / (end.chunk - begin.chunk), chunk = i % (end.chunk - begin.chunk);
        first_choices += counts[e * rows + static_cast<int64_t>(begin.chunk) * choices + chunk];
    }
    int entries = block_before(first_choices, scratch).total * choices;
    int capacity = Capacity{policy, factor, least}.of(entries, experts, choices);
    for (int e = threadIdx.x; e < experts; e += blockDim.x) {
        next[e] = 0;
    }
    int left = 0;
    for (int s = 0; s < choices; s++) {
        for (int from = 0; from < length; from += blockDim.x) {
            bool inside = from + threadIdx.x < length;
            int token = begin.token + from + threadIdx.x, entry = token * choices + s;
            int expert = inside ? chosen[entry] : -1;
            int place = ranks.of(expert, [=](int e, int total) {
                next[e] += total;
                return next[e] - total;
            });
            bool waits = expert >= 0 && place >= capacity;
            Before before = block_before(waits, scratch);
            if (waits) {
                all[left + before.sum] = entry;
                waiting[left + before.sum] = entry;
                cursors[token] = {-1, 0};
            }
            if (inside) {
                slots[entry] = waits ? WAITING : expert < 0 ? -1 : place;
            }
            left += before.total;
        }
    }
    __syncthreads();
    for (int e = threadIdx.x; e < experts; e += blockDim.x) {
        asked[static_cast<int64_t>(e) * gridDim.x + blockIdx.x] = next[e];
        next[e] = min(next[e], capacity);
    }
    int waited = left;
    while (left > 0) {
        __syncthreads();
        for (int i = warp; i < left; i += warps) {
            int entry = read_once(waiting, i);
            int token = entry / choices, choice = entry % choices;
            int64_t own = static_cast<int64_t>(token) * choices + lane;
            bool waits = lane < choices && slots[own] == WAITING;
            unsigned pending = __ballot_sync(ALL_LANES, waits);
            if (__ffs(pending) - 1 != choice) {
                continue;
            }
            // The first of a token's entries looks for all.
            int tried = lane < choices ? chosen[own] : -1;
            Team team(WARP);
            Choice last{-1, 0};
            if (lane == 0) {
                last = cursors[token];
            }
            last = {team.of(last.expert, 0), team.of(last.logit, 0)};
            int wish = -1;
            for (unsigned rest = pending; rest != 0; rest &= rest - 1) {
                Choice best = best_after(team, logits + static_cast<int64_t>(token) * experts, experts, last, tried,
                        choices);
                wish = lane == __ffs(rest) - 1 ? best.expert : wish;
                last = best.expert < 0 ? last : best;
            }
            if (waits) {
                wanted[own] = wish;
            }
            if (lane == 0) {
                cursors[token] = last;
            }
        }
        __syncthreads();
        int kept = 0;
        for (int from = 0; from < left; from += blockDim.x) {
            bool inside = from + threadIdx.x < left;
            int entry = inside ? waiting[from + threadIdx.x] : 0;
            int expert = inside ? wanted[entry] : -1;
            int place = ranks.of(expert, [=](int e, int total) {
                int sum = next[e];
                next[e] = min(capacity, sum + total);
                return sum;
            });
            bool waits = expert >= 0 && place >= capacity;
            Before before = block_before(waits, scratch);
            if (waits) {
                waiting[kept + before.sum] = entry;
            } else if (inside) {
                slots[entry] = expert < 0 ? -1 : place;
            }
            kept += before.total;
        }
        left = kept;
    }
    __syncthreads();
    for (int e = threadIdx.x; e < experts; e += blockDim.x) {
        taken[static_cast<int64_t>(e) * gridDim.x + blockIdx.x] = next[e];
    }
    // Only now, since until here the first choices were needed.
    float moved = 0;
    for (int i = threadIdx.x; i < waited; i += blockDim.x) {
        int entry = all[i];
        if (slots[entry] >= 0) {
            float p = probabilities[static_cast<int64_t>(entry / choices) * experts + wanted[entry]];
            moved += entry % choices == 0 ? p - weights[entry] : 0;
            weights[entry] = p;
            chosen[entry] = wanted[entry];
        }
    }
    moved = block_sum(moved, sums);
    if (threadIdx.x == 0) {
        moved_gates[blockIdx.x] = moved;
    }
}
