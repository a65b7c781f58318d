// The router: from logits to experts, places, gate values and losses, and back. All in float.
#include "route_choice.cuh"
#include "route_places.cuh"
#include "route_rounds.cuh"

// io.mixt5.engine.op.Route.Gate, by ordinal.
constexpr int RAW = 0;
constexpr int RENORMALIZED = 1;

constexpr float SMALLEST = 1.17549435e-38f;

// A warp per chunk: slots from places, tokens by slot, weights, and the chunk's sums for the figures, partial
// [4, chunks]. `starts` has where a group begins within an expert.
extern "C" __global__ void route_finish(const float *probabilities, const float *log_sum_exps,
        const float *entropies, const int *chosen, const int *begins, int groups, const int *starts,
        const int *offsets, const int *counts, int *slots, int *tokens, float *weights, float *partial, int chunks,
        int64_t rows, int experts, int choices, int gate) {
    int64_t chunk = warp_number();
    if (chunk >= chunks) {
        return;
    }
    int lane = threadIdx.x % WARP;
    Groups all{begins, groups};
    int group = all.of(static_cast<int>(chunk));
    int64_t first = all.token(group) + (chunk - all.chunk(group)) * WARP;
    int64_t end = min(first + WARP, static_cast<int64_t>(all.token(group + 1)));
    float balance = 0, squares = 0, entropy = 0, gates = 0;
    for (int64_t token = first; token < end; token++) {
        int64_t entry = token * choices + lane;
        int expert = lane < choices ? chosen[entry] : -1;
        const float *p = probabilities + token * experts;
        float mine = expert < 0 ? 0 : p[expert];
        float sum = fmaxf(warp_sum(mine), SMALLEST);
        if (lane < choices) {
            int place = slots[entry];
            float weight = 0;
            if (place >= 0) {
                int slot = offsets[expert] + starts[group * static_cast<int64_t>(experts) + expert] + place;
                slots[entry] = slot;
                tokens[slot] = static_cast<int>(token);
                weight = gate == RAW ? mine : gate == RENORMALIZED ? mine / sum : 1;
            }
            weights[entry] = weight;
        }
        for (int e = lane; e < experts; e += WARP) {
            balance += p[e] * counts[e];
        }
        gates += lane == 0 ? mine : 0;
    }
    int64_t token = first + lane;
    if (token < end) {
        squares = log_sum_exps[token] * log_sum_exps[token];
        entropy = entropies[token];
    }
    balance = warp_sum(balance);
    squares = warp_sum(squares);
    entropy = warp_sum(entropy);
    if (lane == 0) {
        partial[chunk] = balance;
        partial[chunk + chunks] = squares;
        partial[chunk + 2ll * chunks] = entropy;
        partial[chunk + 3ll * chunks] = gates;
    }
    // There are at least as many chunks as rows divided by their entries.
    int64_t last = min(rows, (chunk + 1) * WARP * choices);
    for (int64_t row = chunk * WARP * choices + lane; row < last; row += WARP) {
        if (row >= offsets[experts]) {
            tokens[row] = -1;
        }
    }
}

// One block: balance loss, z-loss and the last two of the stats, from the chunks' sums.
extern "C" __global__ void route_figures(const float *partial, int chunks, int experts, int choices, float *balance,
        float *z, float *stats) {
    __shared__ float scratch[WARP + 1];
    float mean = 1 / fmaxf(1, stats[0]);
    for (int figure = 0; figure < 4; figure++) {
        float sum = 0;
        for (int i = threadIdx.x; i < chunks; i += blockDim.x) {
            sum += partial[static_cast<int64_t>(figure) * chunks + i];
        }
        sum = block_sum(sum, scratch) * mean;
        if (threadIdx.x == 0) {
            if (figure == 0) {
                *balance = sum * mean * experts / choices;
            } else {
                *(figure == 1 ? z : stats + figure) = sum;
            }
        }
    }
}

// A warp per token: d logits, through the weights, the balance loss and the z-loss, zeros for padding.
extern "C" __global__ void route_backward(const float *probabilities, const float *log_sum_exps, const int *chosen,
        const int *slots, const int *counts, const float *stats, const float *dweights, const float *dbalance,
        const float *dz, float *dlogits, int tokens, int experts, int choices, int gate, bool accumulate) {
    int64_t token = warp_number();
    if (token >= tokens) {
        return;
    }
    int lane = threadIdx.x % WARP;
    int64_t entry = token * choices + lane;
    const float *p = probabilities + token * experts;
    float *target = dlogits + token * experts;
    int expert = lane < choices ? chosen[entry] : -1;
    if (__shfl_sync(ALL_LANES, expert, 0) < 0) {
        for (int e = lane; e < experts && !accumulate; e += WARP) {
            target[e] = 0;
        }
        return;
    }
    float mine = expert < 0 ? 0 : p[expert];
    float sum = gate == RENORMALIZED ? fmaxf(warp_sum(mine), SMALLEST) : 1;
    float dweight = expert >= 0 && slots[entry] >= 0 ? dweights[entry] : 0;
    // Of the expert of the lane's choice; all experts then lose p times the sum of these.
    float direct = gate == RAW ? mine * dweight : gate == RENORMALIZED ? mine / sum * dweight : dweight;
    float inner = warp_sum(direct);
    if (gate == RENORMALIZED) {
        // A softmax over the chosen ones alone.
        direct -= mine / sum * inner;
        inner = 0;
    }
    float scale = *dbalance * experts / (choices * stats[0] * stats[0]);
    float share = 0;
    for (int e = lane; e < experts; e += WARP) {
        share += p[e] * (scale * counts[e]);
    }
    float common = 2 * *dz / stats[0] * log_sum_exps[token] - inner - warp_sum(share);
    for (int from = 0; from < experts; from += WARP) {
        int e = from + lane;
        float through = 0;
        for (int s = 0; s < choices; s++) {
            int other = __shfl_sync(ALL_LANES, expert, s);
            float part = __shfl_sync(ALL_LANES, direct, s);
            through += other == e ? part : 0;
        }
        if (e < experts) {
            put(target + e, p[e] * (scale * counts[e] + common) + through, accumulate);
        }
    }
}
