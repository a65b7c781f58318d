// A token's experts: by logit, or drawn from the softmax.
#pragma once

#include "philox.cuh"
#include "warp_rows.cuh"

// The lanes that work on one token: as many as it has experts, in powers of two from 8 (the most choices) to a warp.
// Lane l has experts l, l + size and so on. What a team does, all teams of the warp do at once, the idle ones as well.
struct Team {
    int size;
    // This thread's, in the team.
    int lane;
    // First of the team's lanes in the warp.
    int base;

    __device__ __forceinline__ explicit Team(int experts) {
        size = experts <= 8 ? 8 : experts <= 16 ? 16 : WARP;
        lane = threadIdx.x % size;
        base = threadIdx.x % WARP - lane;
    }

    // How many teams the block has, and which of them this is.
    __device__ __forceinline__ int count() const { return blockDim.x / size; }

    __device__ __forceinline__ int number() const { return threadIdx.x / size; }

    // x of one of the team's lanes.
    template <typename X> __device__ __forceinline__ X of(X x, int from) const {
        return __shfl_sync(ALL_LANES, x, from, size);
    }

    // In the same order each time.
    template <typename X> __device__ __forceinline__ X sum(X x) const {
        for (int distance = size / 2; distance > 0; distance /= 2) {
            x += __shfl_xor_sync(ALL_LANES, x, distance);
        }
        return x;
    }

    __device__ __forceinline__ float max(float x) const {
        for (int distance = size / 2; distance > 0; distance /= 2) {
            x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, distance));
        }
        return x;
    }

    // The lanes that say yes, lane l by bit l.
    __device__ __forceinline__ unsigned ballot(bool yes) const {
        return __ballot_sync(ALL_LANES, yes) >> base & ALL_LANES >> (WARP - size);
    }
};

// An expert and its logit; none where the expert is -1.
struct Choice {
    int expert;
    float logit;
};

// The choice that follows `last` when experts are ordered by logit, the lowest index first among equals, and those of
// the first `count` lanes' `tried` are left out; the first of all when last is none.
__device__ __forceinline__ Choice best_after(Team team, const float *logits, int experts, Choice last, int tried,
        int count) {
    Choice best{-1, 0};
    for (int from = 0; from < experts; from += team.size) {
        int e = from + team.lane;
        bool open = e < experts;
        for (int s = 0; s < count; s++) {
            open &= team.of(tried, s) != e;
        }
        if (open) {
            float x = logits[e];
            bool follows = last.expert < 0 || x < last.logit || (x == last.logit && e > last.expert);
            if (follows && (best.expert < 0 || x > best.logit)) {
                best = {e, x};
            }
        }
    }
    for (int distance = team.size / 2; distance > 0; distance /= 2) {
        float x = __shfl_xor_sync(ALL_LANES, best.logit, distance);
        int e = __shfl_xor_sync(ALL_LANES, best.expert, distance);
        if (e >= 0 && (best.expert < 0 || x > best.logit || (x == best.logit && e < best.expert))) {
            best = {e, x};
        }
    }
    return best;
}

// The first expert at which the sum of the probabilities, without those that have a sign, is beyond the part `uniform`
// of the whole; the last one when none is. It gets a sign. In double, since single sums would depend on their order.
__device__ __forceinline__ int draw(Team team, float *probabilities, int experts, float uniform) {
    double whole = 0;
    for (int e = team.lane; e < experts; e += team.size) {
        whole += signbit(probabilities[e]) ? 0 : probabilities[e];
    }
    double wanted = team.sum(whole) * uniform;
    double sum = 0;
    int drawn = -1, last = -1;
    for (int from = 0; from < experts; from += team.size) {
        int e = from + team.lane;
        bool open = e < experts && !signbit(probabilities[e]);
        double until = open ? probabilities[e] : 0;
        for (int distance = 1; distance < team.size; distance *= 2) {
            double before = __shfl_up_sync(ALL_LANES, until, distance, team.size);
            until += team.lane >= distance ? before : 0;
        }
        unsigned beyond = team.ballot(open && sum + until > wanted);
        unsigned left = team.ballot(open);
        drawn = drawn < 0 && beyond != 0 ? from + __ffs(beyond) - 1 : drawn;
        last = left == 0 ? last : from + WARP - 1 - __clz(left);
        sum += team.of(until, team.size - 1);
    }
    drawn = drawn < 0 ? last : drawn;
    if (drawn >= 0 && drawn % team.size == team.lane) {
        probabilities[drawn] = -probabilities[drawn];
    }
    return drawn;
}
