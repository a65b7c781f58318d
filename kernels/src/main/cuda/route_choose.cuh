// Softmax and choices; what is needed of them later is summed up by chunk, so that nothing is read again.
#pragma once

#include "route_choice.cuh"
#include "route_chunks.cuh"

// Sums over a chunk's tokens, rows of partial [E + FIGURES, chunks] behind those of the experts' probabilities: of the
// squares of the log-sum-exps, of the entropies, and of the probabilities of the first choices.
constexpr int SQUARES = 0;
constexpr int ENTROPY = 1;
constexpr int GATES = 2;
constexpr int FIGURES = 3;

// A block per chunk, a team per token: probabilities, log-sum-exp, the experts chosen and their probabilities; zeros
// and -1 for padding, and for a token that has no softmax, whose number is left at `fault`. Also the chunk's counts,
// counts [E, rows], and sums.
//
// Shared memory: 2 E floats for each team, k E ints.
extern "C" __global__ void __launch_bounds__(512) route_choose(const float *logits, const int *valid,
        const Chunk *chunks, float *probabilities, float *log_sum_exps, int *chosen, float *weights, int *counts,
        int64_t rows, float *partial, int *fault, int experts, int choices, bool drawn, uint64_t seed, uint32_t stream,
        uint32_t step) {
    extern __shared__ float shared[];
    __shared__ float scratch[WARP + 1];
    Chunk chunk = chunk_of_block(chunks);
    Team team(experts);
    int lane = team.lane;
    // A lane touches its own experts alone, but for those that are chosen.
    float *row = shared + team.number() * experts;
    float *sums = shared + (team.count() + team.number()) * experts;
    int *tally = reinterpret_cast<int *>(shared + 2 * team.count() * experts);
    for (int e = lane; e < experts; e += team.size) {
        sums[e] = 0;
    }
    for (int i = threadIdx.x; i < choices * experts; i += blockDim.x) {
        tally[i] = 0;
    }
    __syncthreads();
    float figures[FIGURES] = {};
    for (int from = chunk.first; from < chunk.end; from += team.count()) {
        int64_t token = from + team.number();
        bool inside = token < chunk.end;
        bool routed = inside;
        if (valid != nullptr) {
            routed = team.of(inside && lane == 0 && valid[token] != 0, 0);
        }
        float largest = -INFINITY, sum = 0, moment = 0;
        for (int e = lane; e < experts; e += team.size) {
            row[e] = routed ? logits[token * experts + e] : 0;
            largest = fmaxf(largest, row[e]);
        }
        largest = team.max(largest);
        int mine = -1;
        Choice choice{-1, 0};
        for (int s = 0; s < choices && !drawn; s++) {
            choice = best_after(team, row, experts, choice, -1, 0);
            mine = lane == s ? choice.expert : mine;
        }
        for (int e = lane; e < experts; e += team.size) {
            float distance = row[e] - largest;
            float exponential = expf(distance);
            row[e] = exponential;
            sum += exponential;
            // So far down an expert's part of the entropy is 0, and 0 times minus infinity is not to be.
            moment += exponential * fmaxf(distance, -100.f);
        }
        sum = team.sum(sum);
        moment = team.sum(moment);
        float log = logf(sum), inverse = 1 / sum, log_sum_exp = largest + log;
        if (routed && !isfinite(log_sum_exp)) {
            routed = false;
            if (lane == 0) {
                atomicMin(fault, static_cast<int>(token));
            }
        }
        for (int e = lane; e < experts; e += team.size) {
            row[e] = routed ? row[e] * inverse : 0;
            sums[e] += row[e];
            if (inside) {
                probabilities[token * experts + e] = row[e];
            }
        }
        for (int s = 0; s < choices && drawn; s++) {
            uint32_t bits = philox_bits(seed, stream, step, static_cast<uint64_t>(token * choices + s));
            int expert = draw(team, row, experts, (bits >> 8) * 0x1p-24f);
            mine = lane == s ? expert : mine;
        }
        mine = routed ? mine : -1;
        __syncwarp();
        float gate = mine >= 0 ? fabsf(row[mine]) : 0;
        __syncwarp();
        if (inside && lane < choices) {
            chosen[token * choices + lane] = mine;
            weights[token * choices + lane] = gate;
        }
        if (mine >= 0) {
            atomicAdd(tally + lane * experts + mine, 1);
        }
        if (inside && lane == 0) {
            log_sum_exps[token] = routed ? log_sum_exp : 0;
            figures[SQUARES] += routed ? log_sum_exp * log_sum_exp : 0;
            figures[ENTROPY] += routed ? log - moment * inverse : 0;
            figures[GATES] += gate;
        }
    }
    __syncthreads();
    for (int i = threadIdx.x; i < choices * experts; i += blockDim.x) {
        counts[i % experts * rows + chunk.row + i / experts * chunk.step] = tally[i];
    }
    float *column = partial + blockIdx.x;
    for (int e = threadIdx.x; e < experts; e += blockDim.x) {
        float sum = 0;
        for (int t = 0; t < team.count(); t++) {
            sum += shared[(team.count() + t) * experts + e];
        }
        column[static_cast<int64_t>(e) * gridDim.x] = sum;
    }
#pragma unroll
    for (int f = 0; f < FIGURES; f++) {
        float sum = block_sum(figures[f], scratch);
        if (threadIdx.x == 0) {
            column[static_cast<int64_t>(experts + f) * gridDim.x] = sum;
        }
    }
}
