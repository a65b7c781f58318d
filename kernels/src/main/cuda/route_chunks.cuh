// How the work is cut: tokens in groups that share capacity, groups in chunks, a block to each.
#pragma once

#include "common.cuh"

// io.mixt5.engine.op.Route.Policy, by ordinal.
constexpr int DROPLESS = 0;
constexpr int NO_TOKEN_LEFT_BEHIND = 2;

// Tokens of a group. A chunk has a row of counts for each choice; a group's rows are those of its chunks' first
// choices, then those of their second ones and so on. As CudaRoute writes it.
struct Chunk {
    int group;
    // First token, and the one behind the last.
    int first;
    int end;
    // Row of the first choices' counts, and how many rows on each further choice's is.
    int row;
    int step;
};

// The block's chunk, read by one thread for all.
__device__ __forceinline__ Chunk chunk_of_block(const Chunk *chunks) {
    __shared__ Chunk chunk;
    if (threadIdx.x == 0) {
        chunk = chunks[blockIdx.x];
    }
    __syncthreads();
    return chunk;
}

// A group's first token and first chunk; behind the last group's are those of the end.
struct Group {
    int token;
    int chunk;
};

// The two ends of the block's group, read by one thread for all.
__device__ __forceinline__ void group_of_block(const Group *groups, Group &begin, Group &end) {
    __shared__ Group ends[2];
    if (threadIdx.x < 2) {
        ends[threadIdx.x] = groups[blockIdx.x + threadIdx.x];
    }
    __syncthreads();
    begin = ends[0];
    end = ends[1];
}

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
