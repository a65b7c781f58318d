// The router: from logits to experts, places, gate values and losses, and back. All in float.
#include "route_choose.cuh"
#include "route_places.cuh"
#include "route_rounds.cuh"

// io.mixt5.engine.op.Route.Gate, by ordinal.
constexpr int RAW = 0;
constexpr int RENORMALIZED = 1;

constexpr float SMALLEST = 1.17549435e-38f;

// A block per chunk and a thread per token of it: slots, tokens by slot, and gate values in place of the probabilities
// in `weights`. `before` [E, rows] has how many wanted an expert in the rows before, `starts` [E, groups] where a
// group's places begin. Places are by rank, or, when no token was left behind, already in slots.
//
// Shared memory: for each token an odd number of ints, k or k + 1, and as many floats; for each expert an int and one
// more for each warp.
extern "C" __global__ void __launch_bounds__(256) route_finish(const Chunk *chunks, const int *chosen,
        const int *before, int64_t rows, const int *starts, int groups, const int *capacities, const int *offsets,
        int *slots, int *tokens, float *weights, int64_t places, int experts, int choices, int policy, int gate) {
    extern __shared__ int memory[];
    __shared__ int capacity, used;
    Chunk chunk = chunk_of_block(chunks);
    // Odd, so that neighbours' are in different banks.
    int stride = choices | 1, count = chunk.end - chunk.first;
    int *expert = memory;
    float *weight = reinterpret_cast<float *>(expert + blockDim.x * stride);
    int *start = expert + 2 * blockDim.x * stride;
    Ranks ranks{start + experts, experts};
    bool placed = policy == NO_TOKEN_LEFT_BEHIND;
    int64_t origin = static_cast<int64_t>(chunk.first) * choices;
    for (int i = threadIdx.x; i < count * choices; i += blockDim.x) {
        int at = i / choices * stride + i % choices;
        expert[at] = chosen[origin + i];
        weight[at] = weights[origin + i];
    }
    for (int e = threadIdx.x; e < experts; e += blockDim.x) {
        start[e] = -1;
    }
    if (threadIdx.x == 0) {
        capacity = placed ? 0 : capacities[chunk.group];
        used = offsets[experts];
    }
    __syncthreads();
    bool inside = threadIdx.x < count;
    expert += threadIdx.x * stride;
    weight += threadIdx.x * stride;
    float sum = 0;
    for (int s = 0; s < choices && inside; s++) {
        sum += weight[s];
    }
    sum = fmaxf(sum, SMALLEST);
    for (int s = 0; s < choices; s++) {
        int e = inside ? expert[s] : -1;
        int64_t row = chunk.row + s * chunk.step;
        int place = ranks.of(e, [=](int wanted, int) {
            if (start[wanted] < 0) {
                start[wanted] = starts[static_cast<int64_t>(wanted) * groups + chunk.group];
            }
            return placed ? 0 : before[wanted * rows + row];
        });
        if (!inside) {
            continue;
        }
        if (placed) {
            place = slots[origin + threadIdx.x * choices + s];
        }
        bool has = e >= 0 && (placed ? place >= 0 : place < capacity);
        int slot = has ? start[e] + place : -1;
        if (has) {
            tokens[slot] = chunk.first + threadIdx.x;
        }
        expert[s] = slot;
        weight[s] = !has ? 0 : gate == RAW ? weight[s] : gate == RENORMALIZED ? weight[s] / sum : 1;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < count * choices; i += blockDim.x) {
        int at = i / choices * stride + i % choices;
        slots[origin + i] = memory[at];
        weights[origin + i] = reinterpret_cast<float *>(memory)[blockDim.x * stride + at];
    }
    // The blocks share the rows behind those in use.
    int64_t share = (places + gridDim.x - 1) / gridDim.x;
    int64_t last = min(places, (blockIdx.x + 1) * share);
    for (int64_t i = max(static_cast<int64_t>(used), blockIdx.x * share) + threadIdx.x; i < last; i += blockDim.x) {
        tokens[i] = -1;
    }
}

// A team per token, 64 tokens to a block: d logits, through the weights, the balance loss and the z-loss, zeros for
// padding.
//
// Shared memory: E floats, and E for each team.
extern "C" __global__ void __launch_bounds__(256) route_backward(const float *probabilities,
        const float *log_sum_exps, const int *chosen, const int *slots, const int *counts, const float *stats,
        const float *dweights, const float *dbalance, const float *dz, float *dlogits, int tokens, int experts,
        int choices, int gate, bool accumulate) {
    constexpr int TOKENS = 64;
    extern __shared__ float shared[];
    __shared__ float scale, z_scale;
    Team team(experts);
    int lane = team.lane;
    float *shares = shared, *p = shared + (team.number() + 1) * experts;
    if (threadIdx.x == 0) {
        float inverse = 1 / fmaxf(1, stats[0]);
        scale = *dbalance * experts / choices * inverse * inverse;
        z_scale = 2 * *dz * inverse;
    }
    __syncthreads();
    for (int e = threadIdx.x; e < experts; e += blockDim.x) {
        shares[e] = scale * counts[e];
    }
    __syncthreads();
    int64_t end = min(static_cast<int64_t>(tokens), static_cast<int64_t>(blockIdx.x + 1) * TOKENS);
    for (int64_t from = blockIdx.x * static_cast<int64_t>(TOKENS); from < end; from += team.count()) {
        int64_t token = from + team.number(), entry = token * choices + lane;
        bool inside = token < end;
        int expert = inside && lane < choices ? chosen[entry] : -1;
        bool routed = team.of(expert, 0) >= 0;
        float share = 0;
        for (int e = lane; e < experts; e += team.size) {
            p[e] = routed ? probabilities[token * experts + e] : 0;
            share += p[e] * shares[e];
        }
        __syncwarp();
        float mine = expert < 0 ? 0 : p[expert];
        float sum = gate == RENORMALIZED ? fmaxf(team.sum(mine), SMALLEST) : 1;
        float dweight = expert >= 0 && slots[entry] >= 0 ? dweights[entry] : 0;
        // Of the expert of the lane's choice; all experts then lose p times the sum of these.
        float direct = gate == RAW ? mine * dweight : gate == RENORMALIZED ? mine / sum * dweight : dweight;
        float inner = team.sum(direct);
        if (gate == RENORMALIZED) {
            // A softmax over the chosen ones alone.
            direct -= mine / sum * inner;
            inner = 0;
        }
        float z = routed && lane == 0 ? z_scale * log_sum_exps[token] : 0;
        float common = team.of(z, 0) - inner - team.sum(share);
        for (int first = 0; first < experts; first += team.size) {
            int e = first + lane;
            float through = 0;
            for (int s = 0; s < choices; s++) {
                float part = team.of(direct, s);
                through += team.of(expert, s) == e ? part : 0;
            }
            if (e < experts && inside && (routed || !accumulate)) {
                put(dlogits + token * experts + e, p[e] * (shares[e] + common) + through, accumulate);
            }
        }
        __syncwarp();
    }
}
