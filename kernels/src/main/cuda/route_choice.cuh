// A token's experts: by logit, or drawn from the softmax. A warp per token, lane l having experts l, l + 32 and so on.
#pragma once

#include "philox.cuh"
#include "warp_rows.cuh"

// Whether e is among the first `count` lanes' experts. All lanes take part, each asking for its own e.
__device__ __forceinline__ bool among(int e, int chosen, int count) {
    bool found = false;
    for (int s = 0; s < count; s++) {
        found |= __shfl_sync(ALL_LANES, chosen, s) == e;
    }
    return found;
}

// The expert that follows `cursor` when experts are ordered by logit, the lowest index first among equals, and those of
// the first `count` lanes are left out; the first of all for cursor -1. -1 when none is left.
__device__ __forceinline__ int best_after(const float *logits, int experts, int cursor, int chosen, int count) {
    int lane = threadIdx.x % WARP;
    float limit = cursor < 0 ? 0 : logits[cursor];
    float largest = 0;
    int best = -1;
    for (int from = 0; from < experts; from += WARP) {
        int e = from + lane;
        bool open = !among(e, chosen, count);
        if (open && e < experts) {
            float x = logits[e];
            bool follows = cursor < 0 || x < limit || (x == limit && e > cursor);
            if (follows && (best < 0 || x > largest)) {
                best = e;
                largest = x;
            }
        }
    }
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        float x = __shfl_xor_sync(ALL_LANES, largest, distance);
        int e = __shfl_xor_sync(ALL_LANES, best, distance);
        if (e >= 0 && (best < 0 || x > largest || (x == largest && e < best))) {
            best = e;
            largest = x;
        }
    }
    return best;
}

__device__ __forceinline__ double warp_sum(double x) {
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        x += __shfl_xor_sync(ALL_LANES, x, distance);
    }
    return x;
}

// The first expert at which the sum of the probabilities, without those of the first `count` lanes' experts, is beyond
// the part `uniform` of the whole; the last one when none is. In double, since single sums would depend on their order.
__device__ __forceinline__ int draw(const float *probabilities, int experts, float uniform, int chosen, int count) {
    int lane = threadIdx.x % WARP;
    double whole = 0;
    for (int from = 0; from < experts; from += WARP) {
        int e = from + lane;
        bool open = !among(e, chosen, count) && e < experts;
        whole += open ? probabilities[e] : 0;
    }
    double wanted = warp_sum(whole) * uniform;
    double sum = 0;
    int last = -1;
    for (int from = 0; from < experts; from += WARP) {
        int e = from + lane;
        bool open = !among(e, chosen, count) && e < experts;
        double until = open ? probabilities[e] : 0;
        for (int distance = 1; distance < WARP; distance *= 2) {
            double before = __shfl_up_sync(ALL_LANES, until, distance);
            until += lane >= distance ? before : 0;
        }
        unsigned beyond = __ballot_sync(ALL_LANES, open && sum + until > wanted);
        if (beyond != 0) {
            return from + __ffs(beyond) - 1;
        }
        unsigned left = __ballot_sync(ALL_LANES, open);
        last = left == 0 ? last : from + WARP - 1 - __clz(left);
        sum += __shfl_sync(ALL_LANES, until, WARP - 1);
    }
    return last;
}

// Probabilities, log-sum-exp and entropy in nats, and the experts chosen; zeros and -1 for padding, and for a token
// that has no softmax, whose number is left at `fault`.
extern "C" __global__ void route_choose(const float *logits, const int *valid, float *probabilities,
        float *log_sum_exps, float *entropies, int *chosen, int *fault, int tokens, int experts, int choices,
        bool drawn, uint64_t seed, uint32_t stream, uint32_t step) {
    int64_t token = warp_number();
    if (token >= tokens) {
        return;
    }
    int lane = threadIdx.x % WARP;
    const float *x = logits + token * experts;
    float *p = probabilities + token * experts;
    bool routed = valid == nullptr || valid[token] != 0;
    float largest = -INFINITY, sum = 0, moment = 0;
    if (routed) {
        for (int e = lane; e < experts; e += WARP) {
            largest = fmaxf(largest, x[e]);
        }
        largest = warp_max(largest);
        for (int e = lane; e < experts; e += WARP) {
            float distance = x[e] - largest;
            float exponential = expf(distance);
            p[e] = exponential;
            sum += exponential;
            // So far down an expert's part of the entropy is 0, and 0 times minus infinity is not to be.
            moment += exponential * fmaxf(distance, -100.f);
        }
        sum = warp_sum(sum);
        moment = warp_sum(moment);
    }
    float log = routed ? logf(sum) : 0;
    float log_sum_exp = routed ? largest + log : 0;
    if (!isfinite(log_sum_exp)) {
        routed = false;
        if (lane == 0) {
            atomicMin(fault, static_cast<int>(token));
        }
    }
    float inverse = 1 / sum;
    for (int e = lane; e < experts; e += WARP) {
        p[e] = routed ? p[e] * inverse : 0;
    }
    int mine = -1, previous = -1;
    for (int s = 0; routed && s < choices; s++) {
        if (drawn) {
            uint32_t bits = philox_bits(seed, stream, step, static_cast<uint64_t>(token * choices + s));
            previous = draw(p, experts, (bits >> 8) * 0x1p-24f, mine, s);
        } else {
            previous = best_after(x, experts, previous, mine, 0);
        }
        mine = lane == s ? previous : mine;
    }
    if (lane < choices) {
        chosen[token * choices + lane] = mine;
    }
    if (lane == 0) {
        log_sum_exps[token] = routed ? log_sum_exp : 0;
        entropies[token] = routed ? log - moment * inverse : 0;
    }
}
