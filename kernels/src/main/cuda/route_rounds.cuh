// No token left behind: entries that found their expert full try one expert after another, round by round.
#pragma once

#include "route_choice.cuh"
#include "route_chunks.cuh"
#include "route_ranks.cuh"

// What slots hold of an entry that has no place yet, but experts left to try.
constexpr int WAITING = -2;

// How many experts are looked up for a token at a time, at least the most choices.
constexpr int AHEAD = 8;

// A token some of whose entries wait; bit s of a set is that of choice s.
struct Waiter {
    int token;
    uint8_t waiting;
    // Those that were waiting when the round began.
    uint8_t asking;
    // How many of the experts looked up have been asked.
    uint16_t asked;

    // The place among those looked up of what choice s asks in this round.
    __device__ __forceinline__ int turn(int s) const { return asked + __popc(asking & ((1u << s) - 1)); }
};

// All that wait in a group, by token; the first ones in shared memory, which mostly are all.
struct Waiters {
    static constexpr int NEAR = 2048;
    Waiter *near;
    Waiter *far;

    __device__ __forceinline__ Waiter &at(int i) const { return i < NEAR ? near[i] : far[i]; }
};

// The next AHEAD experts of a token, by the best ones of its row of logits that it has not tried; those it was first
// given are kept in `first`. By a warp, which has room for the row in shared memory.
__device__ __forceinline__ void look_ahead(const float *logits, int64_t token, int asked, bool again, const int *chosen,
        int *first, int *ahead, float *row, int experts, int choices) {
    int lane = threadIdx.x % WARP;
    int64_t entry = token * choices + lane;
    int tried = -1;
    if (lane < choices) {
        tried = again ? first[entry] : chosen[entry];
        if (!again) {
            first[entry] = tried;
        }
    }
    ahead += token * AHEAD;
    int latest = again ? read_once(ahead, asked - 1) : -1;
    for (int e = lane; e < experts; e += WARP) {
        row[e] = logits[token * experts + e];
    }
    __syncwarp();
    bool open = !again || latest >= 0;
    Team team(WARP);
    Choice last{latest, latest < 0 ? 0 : row[latest]};
    int mine = -1;
    for (int i = 0; i < AHEAD && open; i++) {
        last = best_after(team, row, experts, last, tried, choices);
        open = last.expert >= 0;
        mine = lane == i ? last.expert : mine;
    }
    if (lane < AHEAD) {
        ahead[lane] = mine;
    }
    __syncwarp();
}

// A block per group. First come, first served; an entry that is left wants the best expert that its token has not
// tried, and where several of a token's entries wait, each wants the one after the last's. So all wishes of a round are
// known at its start, and are granted by rank.
//
// counts [E, rows] are the chunks', from which the capacity follows. first [N, k], ahead [N, AHEAD] and far [N] are
// room for what is known of waiting tokens. moved_gates: what each group's first choices gain in probability.
//
// Shared memory: the near waiters, an int for each expert, and for each expert and warp an int and a float.
extern "C" __global__ void __launch_bounds__(512) route_rounds(const float *logits, const float *probabilities,
        const Group *groups, const int *counts, int64_t rows, int *asked, int *taken, int *chosen, int *slots,
        float *weights, int *first, int *ahead, Waiter *far, float *moved_gates, int experts, int choices, int policy,
        double factor, int least) {
    extern __shared__ Waiter near[];
    __shared__ int scratch[WARP];
    __shared__ float sums[WARP + 1];
    Group begin, end;
    group_of_block(groups, begin, end);
    int length = end.token - begin.token, chunks = end.chunk - begin.chunk;
    int warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
    Waiters waiters{near, far + begin.token};
    int *next = reinterpret_cast<int *>(near + Waiters::NEAR);
    Ranks ranks{next + experts, experts};
    float *row = reinterpret_cast<float *>(next + (1 + warps + warp) * experts);

    int first_choices = 0;
    for (int64_t i = threadIdx.x; i < static_cast<int64_t>(experts) * chunks; i += blockDim.x) {
        first_choices += counts[i / chunks * rows + static_cast<int64_t>(begin.chunk) * choices + i % chunks];
    }
    int entries = block_before(first_choices, scratch).total * choices;
    int capacity = Capacity{policy, factor, least}.of(entries, experts, choices);
    for (int e = threadIdx.x; e < experts; e += blockDim.x) {
        next[e] = 0;
    }
    for (int s = 0; s < choices; s++) {
        for (int from = 0; from < length; from += blockDim.x) {
            bool inside = from + threadIdx.x < length;
            int64_t entry = static_cast<int64_t>(begin.token + from + threadIdx.x) * choices + s;
            int expert = inside ? chosen[entry] : -1;
            int place = ranks.of(expert, [=](int e, int total) {
                next[e] += total;
                return next[e] - total;
            });
            if (inside) {
                slots[entry] = expert < 0 ? -1 : place < capacity ? place : WAITING;
            }
        }
    }
    int left = 0;
    for (int from = 0; from < length; from += blockDim.x) {
        Waiter waiter{begin.token + from + static_cast<int>(threadIdx.x), 0, 0, 0};
        for (int s = 0; s < choices && from + threadIdx.x < length; s++) {
            waiter.waiting |= (slots[static_cast<int64_t>(waiter.token) * choices + s] == WAITING) << s;
        }
        Before before = block_before(waiter.waiting != 0, scratch);
        if (waiter.waiting != 0) {
            waiters.at(left + before.sum) = waiter;
        }
        left += before.total;
    }
    __syncthreads();
    for (int e = threadIdx.x; e < experts; e += blockDim.x) {
        asked[static_cast<int64_t>(e) * gridDim.x + blockIdx.x] = next[e];
        next[e] = min(next[e], capacity);
    }
    float moved = 0;
    for (int round = 0; left > 0; round++) {
        __syncthreads();
        for (int i = warp; i < left; i += warps) {
            Waiter waiter = waiters.at(i);
            if (round == 0 || waiter.asked + __popc(waiter.waiting) > AHEAD) {
                look_ahead(logits, waiter.token, waiter.asked, round > 0, chosen, first, ahead, row, experts, choices);
                if (threadIdx.x % WARP == 0) {
                    waiters.at(i).asked = 0;
                }
            }
        }
        __syncthreads();
        for (int s = 0; s < choices; s++) {
            for (int from = 0; from < left; from += blockDim.x) {
                bool inside = from + threadIdx.x < left;
                Waiter waiter = inside ? waiters.at(from + threadIdx.x) : Waiter{};
                waiter.asking = s == 0 ? waiter.waiting : waiter.asking;
                bool asks = waiter.asking >> s & 1;
                int expert = asks ? ahead[static_cast<int64_t>(waiter.token) * AHEAD + waiter.turn(s)] : -1;
                int place = ranks.of(expert, [=](int e, int total) {
                    int sum = next[e];
                    next[e] = min(capacity, sum + total);
                    return sum;
                });
                int64_t entry = static_cast<int64_t>(waiter.token) * choices + s;
                if (asks && expert >= 0 && place < capacity) {
                    float p = probabilities[static_cast<int64_t>(waiter.token) * experts + expert];
                    moved += s == 0 ? p - weights[entry] : 0;
                    weights[entry] = p;
                    chosen[entry] = expert;
                    slots[entry] = place;
                    waiter.waiting &= ~(1u << s);
                } else if (asks && expert < 0) {
                    slots[entry] = -1;
                    waiter.waiting &= ~(1u << s);
                }
                if (s == choices - 1) {
                    waiter.asked = waiter.turn(choices);
                }
                if (inside) {
                    waiters.at(from + threadIdx.x) = waiter;
                }
            }
        }
        int kept = 0;
        for (int from = 0; from < left; from += blockDim.x) {
            Waiter waiter = from + threadIdx.x < left ? waiters.at(from + threadIdx.x) : Waiter{};
            Before before = block_before(waiter.waiting != 0, scratch);
            if (waiter.waiting != 0) {
                waiters.at(kept + before.sum) = waiter;
            }
            kept += before.total;
        }
        left = kept;
    }
    __syncthreads();
    for (int e = threadIdx.x; e < experts; e += blockDim.x) {
        taken[static_cast<int64_t>(e) * gridDim.x + blockIdx.x] = next[e];
    }
    moved = block_sum(moved, sums);
    if (threadIdx.x == 0) {
        moved_gates[blockIdx.x] = moved;
    }
}
