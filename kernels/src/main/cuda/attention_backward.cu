// Attention's backward. With P the weights before dropout, computed again from each row's log-sum-exp, F dropout's
// factors, W = P o F and D the row sums of dout o out: dV = W^T dout, dW = dout V^T, dS = P o (F o dW - D), dQ = dS K,
// dK = dS^T Q (Dao et al., FlashAttention, 2022, appendix B.2), and the bias's gradient is dS summed by bucket.
//
// Every gradient has one writer and a fixed order of additions.
#include "attention.cuh"

// D [Nq, H], by tiles of queries.
template <typename T, int WIDTH>
__device__ void attention_row_sums(const Attention<T> &a, const T *out, const T *dout, int queries, float *row_sums) {
    Tile place = a.tiles[blockIdx.x];
    Sequence sequence = a.sequences[place.sequence];
    int lane = threadIdx.x % LANES;
    int count = min(queries, sequence.query_count - place.first);
    for (int query = threadIdx.x / LANES; query < count; query += WARPS) {
        int64_t row = sequence.query_start + place.first + query;
        float sum = 0;
        for (int i = lane; i < a.size; i += LANES) {
            sum += to_float(out[a.place(row) + i]) * to_float(dout[a.place(row) + i]);
        }
        sum = warp_sum(sum);
        if (lane == 0) {
            row_sums[a.head_of(row)] = sum;
        }
    }
}

#define SUMS_PARAMETERS(T) (ATTENTION_PARAMETERS(T), const T *out, const T *dout, int queries, float *row_sums)
#define SUMS_ARGUMENTS(T) (ATTENTION(T), out, dout, queries, row_sums)
FOR_WIDTHS_AND_FLOATS(attention_row_sums, SUMS_PARAMETERS, SUMS_ARGUMENTS)

// dQ, and for the table a sum for each bucket [tiles, H, buckets]; either may be null. There are at most THREADS
// buckets.
template <typename T, int WIDTH>
__device__ void attention_dqueries(const Attention<T> &a, const T *dout, const float *lse, const float *row_sums, T *dq,
                                   bool accumulate, float *bucket_sums, int buckets) {
    constexpr int ROWS = 256 / WIDTH; // of a warp
    constexpr int QUERIES = WARPS * ROWS;
    constexpr int DISTANCES = QUERIES + LANES - 1;
    __shared__ __align__(16) float queries[QUERIES * STRIDE<WIDTH>];
    __shared__ __align__(16) float douts[QUERIES * STRIDE<WIDTH>];
    __shared__ __align__(16) float tile[LANES * STRIDE<WIDTH>];
    __shared__ __align__(16) float all_weights[QUERIES * LANES];
    __shared__ float bias[DISTANCES];
    __shared__ float diagonal[DISTANCES];
    __shared__ int bucket[DISTANCES];
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
    load_rows<T, WIDTH>(dout + a.place(first_row), width, count, a.size, douts, QUERIES);

    float row_lse[ROWS], row_sum[ROWS], sum[ROWS][WIDTH / LANES];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        bool inside = warp_first + r < count;
        row_lse[r] = inside ? lse[a.head_of(first_row + warp_first + r)] : 0;
        row_sum[r] = inside ? row_sums[a.head_of(first_row + warp_first + r)] : 0;
#pragma unroll
        for (int c = 0; c < WIDTH / LANES; c++) {
            sum[r][c] = 0;
        }
    }
    float bucket_sum = 0; // of the bucket with this thread's number
    for (int key = 0; key < keys; key += LANES) {
        int64_t key_place = a.place(sequence.key_start + key);
        __syncthreads();
        load_rows<T, WIDTH>(a.v + key_place, width, keys - key, a.size, tile, LANES);
        __syncthreads();
        a.put_factors(ROWS, first_row + warp_first, 1, key + lane, 0, weights);
        float dweight[ROWS], score[ROWS];
        products<ROWS, WIDTH>(douts + warp_first * STRIDE<WIDTH>, tile, a.size, dweight);
        __syncthreads();
        load_rows<T, WIDTH>(a.k + key_place, width, keys - key, a.size, tile, LANES);
        if (threadIdx.x < DISTANCES) {
            int distance = key - position + static_cast<int>(threadIdx.x) - (QUERIES - 1);
            bias[threadIdx.x] = a.bias.at(distance, a.heads, blockIdx.y);
            bucket[threadIdx.x] = bucket_sums == nullptr ? 0 : a.bias.bucket(distance);
        }
        __syncthreads();
        products<ROWS, WIDTH>(queries + warp_first * STRIDE<WIDTH>, tile, a.size, score);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            int query = warp_first + r;
            bool seen = query < count && key + lane < keys && (!a.causal || key + lane <= position + query);
            float dscore = 0;
            if (seen) {
                float p = expf(score[r] + bias[lane - query + QUERIES - 1] - row_lse[r]);
                dscore = p * (weights[r * LANES + lane] * dweight[r] - row_sum[r]);
            }
            weights[r * LANES + lane] = dscore;
        }
        __syncwarp();
        mix<ROWS, WIDTH>(weights, tile, sum);
        if (bucket_sums != nullptr) {
            __syncthreads();
            if (threadIdx.x < DISTANCES) {
                // The keys j and queries i with j - i + QUERIES - 1 equal to this thread's number.
                int shift = static_cast<int>(threadIdx.x) - (QUERIES - 1);
                float line = 0;
                for (int query = max(0, -shift); query < QUERIES && query + shift < LANES; query++) {
                    line += all_weights[query * LANES + query + shift];
                }
                diagonal[threadIdx.x] = line;
            }
            __syncthreads();
            if (threadIdx.x < buckets) {
                for (int i = 0; i < DISTANCES; i++) {
                    bucket_sum += bucket[i] == threadIdx.x ? diagonal[i] : 0;
                }
            }
        }
    }
    if (dq != nullptr) {
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            if (warp_first + r < count) {
                put_row<T, WIDTH>(dq + a.place(first_row + warp_first + r), sum[r], 1, a.size, accumulate);
            }
        }
    }
    if (bucket_sums != nullptr && threadIdx.x < buckets) {
        bucket_sums[a.head_of(blockIdx.x) * buckets + threadIdx.x] = bucket_sum;
    }
}

#define DQUERIES_PARAMETERS(T) (ATTENTION_PARAMETERS(T), const T *dout, const float *lse, const float *row_sums, T *dq, \
                                bool accumulate, float *bucket_sums, int buckets)
#define DQUERIES_ARGUMENTS(T) (ATTENTION(T), dout, lse, row_sums, dq, accumulate, bucket_sums, buckets)
FOR_WIDTHS_AND_FLOATS(attention_dqueries, DQUERIES_PARAMETERS, DQUERIES_ARGUMENTS)

// The table's gradient [buckets, H] from the sums [tiles, H, buckets], a thread for each element.
template <typename T>
__device__ void attention_dtable(const float *bucket_sums, int tiles, int heads, int buckets, T *dtable,
                                 bool accumulate) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < buckets * heads) {
        int bucket = i / heads;
        int head = i % heads;
        float sum = 0;
        for (int64_t tile = 0; tile < tiles; tile++) {
            sum += bucket_sums[(tile * heads + head) * buckets + bucket];
        }
        put(dtable + i, sum, accumulate);
    }
}

#define DTABLE_PARAMETERS(T) (const float *bucket_sums, int tiles, int heads, int buckets, T *dtable, bool accumulate)
FOR_FLOATS(attention_dtable, DTABLE_PARAMETERS, (bucket_sums, tiles, heads, buckets, dtable, accumulate))

// dK and dV, either of which may be null; the tiles are of keys, and queries pass by.
template <typename T, int WIDTH>
__device__ void attention_dkeys(const Attention<T> &a, const T *dout, const float *lse, const float *row_sums, T *dk,
                                bool accumulate_dk, T *dv, bool accumulate_dv) {
    constexpr int ROWS = 256 / WIDTH; // of a warp
    constexpr int KEYS = WARPS * ROWS;
    constexpr int DISTANCES = KEYS + LANES - 1;
    __shared__ __align__(16) float keys[KEYS * STRIDE<WIDTH>];
    __shared__ __align__(16) float values[KEYS * STRIDE<WIDTH>];
    __shared__ __align__(16) float tile[LANES * STRIDE<WIDTH>];
    __shared__ __align__(16) float all_weights[KEYS * LANES];
    __shared__ float bias[DISTANCES];
    Tile place = a.tiles[blockIdx.x];
    Sequence sequence = a.sequences[place.sequence];
    int lane = threadIdx.x % LANES;
    int warp_first = threadIdx.x / LANES * ROWS;
    float *weights = all_weights + warp_first * LANES;
    int64_t width = static_cast<int64_t>(a.heads) * a.size;
    int count = min(KEYS, sequence.key_count - place.first);
    int first_row = sequence.key_start + place.first;
    load_rows<T, WIDTH>(a.k + a.place(first_row), width, count, a.size, keys, KEYS);
    load_rows<T, WIDTH>(a.v + a.place(first_row), width, count, a.size, values, KEYS);

    float dkey[ROWS][WIDTH / LANES], dvalue[ROWS][WIDTH / LANES];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
#pragma unroll
        for (int c = 0; c < WIDTH / LANES; c++) {
            dkey[r][c] = 0;
            dvalue[r][c] = 0;
        }
    }
    // Earlier queries do not see these keys.
    int first_query = a.causal ? max(0, place.first - sequence.query_position) / LANES * LANES : 0;
    for (int query = first_query; query < sequence.query_count; query += LANES) {
        int queries = sequence.query_count - query;
        int64_t query_row = sequence.query_start + query;
        int position = sequence.query_position + query;
        bool inside = lane < queries;
        float query_lse = inside ? lse[a.head_of(query_row + lane)] : 0;
        float row_sum = inside ? row_sums[a.head_of(query_row + lane)] : 0;
        __syncthreads();
        load_rows<T, WIDTH>(a.q + a.place(query_row), width, queries, a.size, tile, LANES);
        if (threadIdx.x < DISTANCES) {
            int distance = place.first - position + static_cast<int>(threadIdx.x) - (LANES - 1);
            bias[threadIdx.x] = a.bias.at(distance, a.heads, blockIdx.y);
        }
        __syncthreads();
        a.put_factors(ROWS, query_row + lane, 0, place.first + warp_first, 1, weights);
        float score[ROWS], dscore[ROWS];
        products<ROWS, WIDTH>(keys + warp_first * STRIDE<WIDTH>, tile, a.size, score);
        __syncthreads();
        load_rows<T, WIDTH>(dout + a.place(query_row), width, queries, a.size, tile, LANES);
        __syncthreads();
        products<ROWS, WIDTH>(values + warp_first * STRIDE<WIDTH>, tile, a.size, dscore);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            int key = place.first + warp_first + r;
            bool seen = inside && warp_first + r < count && (!a.causal || key <= position + lane);
            float weight = 0;
            if (seen) {
                float p = expf(score[r] + bias[warp_first + r - lane + LANES - 1] - query_lse);
                float factor = weights[r * LANES + lane];
                weight = p * factor;
                dscore[r] = p * (factor * dscore[r] - row_sum);
            } else {
                dscore[r] = 0;
            }
            weights[r * LANES + lane] = weight;
        }
        __syncwarp();
        mix<ROWS, WIDTH>(weights, tile, dvalue);
        if (dk != nullptr) {
            __syncthreads();
            load_rows<T, WIDTH>(a.q + a.place(query_row), width, queries, a.size, tile, LANES);
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                weights[r * LANES + lane] = dscore[r];
            }
            __syncthreads();
            mix<ROWS, WIDTH>(weights, tile, dkey);
        }
    }
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        int64_t row = first_row + warp_first + r;
        if (warp_first + r < count && dk != nullptr) {
            put_row<T, WIDTH>(dk + a.place(row), dkey[r], 1, a.size, accumulate_dk);
        }
        if (warp_first + r < count && dv != nullptr) {
            put_row<T, WIDTH>(dv + a.place(row), dvalue[r], 1, a.size, accumulate_dv);
        }
    }
}

#define DKEYS_PARAMETERS(T) (ATTENTION_PARAMETERS(T), const T *dout, const float *lse, const float *row_sums, T *dk, \
                             bool accumulate_dk, T *dv, bool accumulate_dv)
#define DKEYS_ARGUMENTS(T) (ATTENTION(T), dout, lse, row_sums, dk, accumulate_dk, dv, accumulate_dv)
FOR_WIDTHS_AND_FLOATS(attention_dkeys, DKEYS_PARAMETERS, DKEYS_ARGUMENTS)
