// Attention's forward by online softmax (Dao et al., FlashAttention, 2022): the scores of a block's queries against 32
// keys at a time, never in memory.
#include "attention.cuh"

template <typename T, int WIDTH>
__device__ void attention_forward(const Attention<T> &a, T *out, float *lse) {
    constexpr int ROWS = 512 / WIDTH; // of a warp
    constexpr int QUERIES = WARPS * ROWS;
    constexpr int DISTANCES = QUERIES + LANES - 1;
    __shared__ __align__(16) float queries[QUERIES * STRIDE<WIDTH>];
    __shared__ __align__(16) float tile[LANES * STRIDE<WIDTH>];
    __shared__ __align__(16) float all_weights[QUERIES * LANES];
    __shared__ float bias[DISTANCES];
    Tile place = a.tiles[blockIdx.x];
    Sequence sequence = a.sequences[place.sequence];
    int lane = threadIdx.x % LANES;
    int warp_first = threadIdx.x / LANES * ROWS;
    float *weights = all_weights + warp_first * LANES;
    int64_t width = static_cast<int64_t>(a.heads) * a.size;
    int count = min(QUERIES, sequence.query_count - place.first);
    int first_row = sequence.query_start + place.first;
    int position = sequence.query_position + place.first;
    int keys = a.causal ? min(sequence.key_count, position + count) : sequence.key_count;
    load_rows<T, WIDTH>(a.q + a.place(first_row), width, count, a.size, queries, QUERIES);

    float largest[ROWS], total[ROWS], sum[ROWS][WIDTH / LANES];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        largest[r] = -INFINITY;
        total[r] = 0;
#pragma unroll
        for (int c = 0; c < WIDTH / LANES; c++) {
            sum[r][c] = 0;
        }
    }
    for (int key = 0; key < keys; key += LANES) {
        int64_t key_place = a.place(sequence.key_start + key);
        __syncthreads();
        load_rows<T, WIDTH>(a.k + key_place, width, keys - key, a.size, tile, LANES);
        if (threadIdx.x < DISTANCES) {
            int distance = key - position + static_cast<int>(threadIdx.x) - (QUERIES - 1);
            bias[threadIdx.x] = a.bias.at(distance, a.heads, blockIdx.y);
        }
        __syncthreads();
        a.put_factors(ROWS, first_row + warp_first, 1, key + lane, 0, weights);
        float score[ROWS];
        products<ROWS, WIDTH>(queries + warp_first * STRIDE<WIDTH>, tile, a.size, score);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            int query = warp_first + r;
            bool seen = query < count && key + lane < keys && (!a.causal || key + lane <= position + query);
            float biased = seen ? score[r] + bias[lane - query + QUERIES - 1] : -INFINITY;
            float now = fmaxf(largest[r], warp_max(biased));
            float weight = seen ? expf(biased - now) : 0;
            float shrink = largest[r] == now ? 1 : expf(largest[r] - now);
            largest[r] = now;
            total[r] = total[r] * shrink + warp_sum(weight);
#pragma unroll
            for (int c = 0; c < WIDTH / LANES; c++) {
                sum[r][c] *= shrink;
            }
            weights[r * LANES + lane] *= weight;
        }
        __syncthreads();
        load_rows<T, WIDTH>(a.v + key_place, width, keys - key, a.size, tile, LANES);
        __syncthreads();
        mix<ROWS, WIDTH>(weights, tile, sum);
    }
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        int64_t row = first_row + warp_first + r;
        if (warp_first + r < count) {
            // A query without keys has a total of 0, as has no other: its zeros stay.
            put_row<T, WIDTH>(out + a.place(row), sum[r], total[r] == 0 ? 0 : 1 / total[r], a.size, false);
            if (lane == 0) {
                lse[a.head_of(row)] = total[r] == 0 ? -INFINITY : largest[r] + logf(total[r]);
            }
        }
    }
}

#define PARAMETERS(T) (ATTENTION_PARAMETERS(T), T *out, float *lse)
#define ARGUMENTS(T) (ATTENTION(T), out, lse)
FOR_WIDTHS_AND_FLOATS(attention_forward, PARAMETERS, ARGUMENTS)
