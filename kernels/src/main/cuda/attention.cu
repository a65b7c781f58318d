// T5's attention over ragged batches: softmax(q k^T + bias) v with dropout on the weights, and its gradients. Scores are
// computed tile by tile with a running maximum and, backward, again from each row's log-sum-exp (Dao et al.,
// "FlashAttention", 2022).
#include "attention_tiles.cuh"

#define ATTENTION_PARAMETERS                                                                                      \
    const Sequence *sequences, const int2 *blocks, const int *buckets, int max_distance, int heads, int width,     \
        bool causal, int key_stride, uint64_t seed, uint32_t stream, uint32_t step, uint32_t threshold, float scale
#define ATTENTION                                                                                       \
    (Attention{sequences, blocks, buckets, max_distance, heads, width, causal, key_stride,              \
               Dropout{seed, stream, step, threshold, scale}})

template <typename T>
__device__ __forceinline__ float bias(const Attention &a, const T *table, const Sequence &s, int query, int key,
                                      int head) {
    return table == nullptr ? 0.f : to_float(table[a.bucket(key - s.query_position - query) * a.heads + head]);
}

template <typename T>
__device__ void attention_forward(const T *q, const T *k, const T *v, const T *table, T *out, float *lse,
                                  const Attention &a) {
    extern __shared__ float memory[];
    int stride = a.width + 1;
    float *queries = memory, *keys = queries + OWNED * stride, *values = keys + TILE * stride;
    int2 place = a.blocks[blockIdx.x];
    Sequence s = a.sequences[place.x];
    int head = blockIdx.y, warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    load_rows(q, s.query_start, place.y, s.query_count, OWNED, head, a, queries, stride);
    float maximum[PER_WARP], total[PER_WARP], sum[PER_WARP][SLICES] = {};
    for (int i = 0; i < PER_WARP; i++) {
        maximum[i] = -INFINITY;
        total[i] = 0;
    }
    int end = a.causal ? min(s.key_count, s.query_position + place.y + OWNED) : s.key_count;
    for (int first = 0; first < end; first += TILE) {
        __syncthreads();
        load_rows(k, s.key_start, first, s.key_count, TILE, head, a, keys, stride);
        load_rows(v, s.key_start, first, s.key_count, TILE, head, a, values, stride);
        __syncthreads();
#pragma unroll
        for (int i = 0; i < PER_WARP; i++) {
            int row = warp * PER_WARP + i, query = place.y + row, key = first + lane;
            bool seen = a.visible(s, query, key);
            float score = -INFINITY;
            if (seen) {
                score = dot(queries + row * stride, keys + lane * stride, a.width) + bias(a, table, s, query, key, head);
            }
            float highest = fmaxf(maximum[i], warp_max(score));
            if (highest == -INFINITY) {
                continue;  // the whole warp: no key seen so far
            }
            float shrink = expf(maximum[i] - highest);
            float weight = seen ? expf(score - highest) : 0.f;
            total[i] = total[i] * shrink + warp_sum(weight);
            maximum[i] = highest;
#pragma unroll
            for (int c = 0; c < SLICES; c++) {
                sum[i][c] *= shrink;
            }
            add_rows(seen ? weight * a.mask(s, query, key, head) : 0.f, values, stride, a.width, sum[i]);
        }
    }
#pragma unroll
    for (int i = 0; i < PER_WARP; i++) {
        int query = place.y + warp * PER_WARP + i;
        if (query < s.query_count) {
            int64_t row = s.query_start + query;
            float inverse = total[i] > 0 ? 1 / total[i] : 0.f;
#pragma unroll
            for (int c = 0; c < SLICES; c++) {
                int column = lane + c * WARP;
                if (column < a.width) {
                    out[(row * a.heads + head) * a.width + column] = from_float<T>(sum[i][c] * inverse);
                }
            }
            if (lane == 0) {
                lse[row * a.heads + head] = maximum[i] == -INFINITY ? -INFINITY : maximum[i] + logf(total[i]);
            }
        }
    }
}

// delta [Nq, H]: the sum of each row's weights times their gradients. It is also the product of the row's output and its
// gradient, but that output has been rounded to T, and the scores' gradients are differences from delta.
template <typename T>
__device__ void attention_delta(const T *q, const T *k, const T *v, const T *table, const T *dout, const float *lse,
                                float *delta, const Attention &a) {
    extern __shared__ float memory[];
    int stride = a.width + 1;
    float *queries = memory, *gradients = queries + OWNED * stride, *keys = gradients + OWNED * stride;
    float *values = keys + TILE * stride;
    int2 place = a.blocks[blockIdx.x];
    Sequence s = a.sequences[place.x];
    int head = blockIdx.y, warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    load_rows(q, s.query_start, place.y, s.query_count, OWNED, head, a, queries, stride);
    load_rows(dout, s.query_start, place.y, s.query_count, OWNED, head, a, gradients, stride);
    float sum[PER_WARP] = {};
    int end = a.causal ? min(s.key_count, s.query_position + place.y + OWNED) : s.key_count;
    for (int first = 0; first < end; first += TILE) {
        __syncthreads();
        load_rows(k, s.key_start, first, s.key_count, TILE, head, a, keys, stride);
        load_rows(v, s.key_start, first, s.key_count, TILE, head, a, values, stride);
        __syncthreads();
#pragma unroll
        for (int i = 0; i < PER_WARP; i++) {
            int row = warp * PER_WARP + i, query = place.y + row, key = first + lane;
            if (a.visible(s, query, key)) {
                int64_t at = static_cast<int64_t>(s.query_start + query) * a.heads + head;
                float score = dot(queries + row * stride, keys + lane * stride, a.width) + bias(a, table, s, query, key, head);
                float dweight = a.mask(s, query, key, head) * dot(gradients + row * stride, values + lane * stride, a.width);
                sum[i] = fmaf(expf(score - lse[at]), dweight, sum[i]);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < PER_WARP; i++) {
        int query = place.y + warp * PER_WARP + i;
        float all = warp_sum(sum[i]);
        if (lane == 0 && query < s.query_count) {
            delta[static_cast<int64_t>(s.query_start + query) * a.heads + head] = all;
        }
    }
}

// dq, and what each block adds to the bias' gradient: partial [blocks, H, buckets]. Either may be null.
template <typename T>
__device__ void attention_backward_query(const T *q, const T *k, const T *v, const T *table, const T *dout,
                                         const float *lse, const float *delta, T *dq, bool accumulate, float *partial,
                                         int bucket_count, const Attention &a) {
    extern __shared__ float memory[];
    int stride = a.width + 1;
    float *queries = memory, *gradients = queries + OWNED * stride, *keys = gradients + OWNED * stride;
    float *values = keys + TILE * stride, *scores = values + TILE * stride;
    int *places = reinterpret_cast<int *>(scores + WARPS * TILE);
    float *histogram = reinterpret_cast<float *>(places + WARPS * TILE);  // [WARPS, buckets]
    int2 place = a.blocks[blockIdx.x];
    Sequence s = a.sequences[place.x];
    int head = blockIdx.y, warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    load_rows(q, s.query_start, place.y, s.query_count, OWNED, head, a, queries, stride);
    load_rows(dout, s.query_start, place.y, s.query_count, OWNED, head, a, gradients, stride);
    for (int b = lane; partial != nullptr && b < bucket_count; b += WARP) {
        histogram[warp * bucket_count + b] = 0;
    }
    float sum[PER_WARP][SLICES] = {};
    int end = a.causal ? min(s.key_count, s.query_position + place.y + OWNED) : s.key_count;
    for (int first = 0; first < end; first += TILE) {
        __syncthreads();
        load_rows(k, s.key_start, first, s.key_count, TILE, head, a, keys, stride);
        load_rows(v, s.key_start, first, s.key_count, TILE, head, a, values, stride);
        __syncthreads();
#pragma unroll
        for (int i = 0; i < PER_WARP; i++) {
            int row = warp * PER_WARP + i, query = place.y + row, key = first + lane;
            float dscore = 0;
            if (a.visible(s, query, key)) {
                int64_t at = static_cast<int64_t>(s.query_start + query) * a.heads + head;
                float score = dot(queries + row * stride, keys + lane * stride, a.width) + bias(a, table, s, query, key, head);
                float weight = expf(score - lse[at]);
                float dweight = a.mask(s, query, key, head) * dot(gradients + row * stride, values + lane * stride, a.width);
                dscore = weight * (dweight - delta[at]);
            }
            add_rows(dscore, keys, stride, a.width, sum[i]);
            if (partial != nullptr) {
                // Each lane sums the buckets that are its own, in the order of the keys.
                scores[warp * TILE + lane] = dscore;
                places[warp * TILE + lane] = a.bucket(key - s.query_position - query);
                __syncwarp();
                for (int b = lane; b < bucket_count; b += WARP) {
                    float found = histogram[warp * bucket_count + b];
#pragma unroll 4
                    for (int j = 0; j < TILE; j++) {
                        found += places[warp * TILE + j] == b ? scores[warp * TILE + j] : 0.f;
                    }
                    histogram[warp * bucket_count + b] = found;
                }
                __syncwarp();
            }
        }
    }
#pragma unroll
    for (int i = 0; i < PER_WARP; i++) {
        int query = place.y + warp * PER_WARP + i;
        if (dq != nullptr && query < s.query_count) {
            T *row = dq + (static_cast<int64_t>(s.query_start + query) * a.heads + head) * a.width;
#pragma unroll
            for (int c = 0; c < SLICES; c++) {
                if (lane + c * WARP < a.width) {
                    put(row + lane + c * WARP, sum[i][c], accumulate);
                }
            }
        }
    }
    if (partial != nullptr) {
        __syncthreads();
        for (int b = threadIdx.x; b < bucket_count; b += WARPS * WARP) {
            float all = 0;
            for (int w = 0; w < WARPS; w++) {
                all += histogram[w * bucket_count + b];
            }
            partial[(static_cast<int64_t>(blockIdx.x) * a.heads + head) * bucket_count + b] = all;
        }
    }
}

// dtable [buckets, H] from what the blocks have left, in their order.
template <typename T>
__device__ void attention_backward_table(const float *partial, int blocks, int heads, int bucket_count, T *dtable,
                                         bool accumulate) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < heads * bucket_count) {
        int head = i % heads, bucket = i / heads;
        float sum = 0;
        for (int64_t block = 0; block < blocks; block++) {
            sum += partial[(block * heads + head) * bucket_count + bucket];
        }
        put(dtable + i, sum, accumulate);
    }
}

// dk and dv; either may be null. A block owns keys and goes over the queries.
template <typename T>
__device__ void attention_backward_key(const T *q, const T *k, const T *v, const T *table, const T *dout,
                                       const float *lse, const float *delta, T *dk, bool accumulate_k, T *dv,
                                       bool accumulate_v, const Attention &a) {
    extern __shared__ float memory[];
    int stride = a.width + 1;
    float *keys = memory, *values = keys + OWNED * stride, *queries = values + OWNED * stride;
    float *gradients = queries + TILE * stride;
    int2 place = a.blocks[blockIdx.x];
    Sequence s = a.sequences[place.x];
    int head = blockIdx.y, warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    load_rows(k, s.key_start, place.y, s.key_count, OWNED, head, a, keys, stride);
    load_rows(v, s.key_start, place.y, s.key_count, OWNED, head, a, values, stride);
    float key_sum[PER_WARP][SLICES] = {}, value_sum[PER_WARP][SLICES] = {};
    int begin = a.causal ? max(0, place.y - s.query_position) / TILE * TILE : 0;
    for (int first = begin; first < s.query_count; first += TILE) {
        __syncthreads();
        load_rows(q, s.query_start, first, s.query_count, TILE, head, a, queries, stride);
        load_rows(dout, s.query_start, first, s.query_count, TILE, head, a, gradients, stride);
        __syncthreads();
#pragma unroll
        for (int i = 0; i < PER_WARP; i++) {
            int row = warp * PER_WARP + i, query = first + lane, key = place.y + row;
            float dscore = 0, kept = 0;
            if (a.visible(s, query, key)) {
                int64_t at = static_cast<int64_t>(s.query_start + query) * a.heads + head;
                float score = dot(queries + lane * stride, keys + row * stride, a.width) + bias(a, table, s, query, key, head);
                float weight = expf(score - lse[at]), factor = a.mask(s, query, key, head);
                kept = weight * factor;
                dscore = weight * (factor * dot(gradients + lane * stride, values + row * stride, a.width) - delta[at]);
            }
            add_rows(dscore, queries, stride, a.width, key_sum[i]);
            add_rows(kept, gradients, stride, a.width, value_sum[i]);
        }
    }
#pragma unroll
    for (int i = 0; i < PER_WARP; i++) {
        int key = place.y + warp * PER_WARP + i;
        if (key < s.key_count) {
            int64_t row = (static_cast<int64_t>(s.key_start + key) * a.heads + head) * a.width;
#pragma unroll
            for (int c = 0; c < SLICES; c++) {
                int column = lane + c * WARP;
                if (column < a.width && dk != nullptr) {
                    put(dk + row + column, key_sum[i][c], accumulate_k);
                }
                if (column < a.width && dv != nullptr) {
                    put(dv + row + column, value_sum[i][c], accumulate_v);
                }
            }
        }
    }
}

#define FORWARD(T) (const T *q, const T *k, const T *v, const T *table, T *out, float *lse, ATTENTION_PARAMETERS)
FOR_FLOATS(attention_forward, FORWARD, (q, k, v, table, out, lse, ATTENTION))

#define DELTA(T)                                                                                              \
    (const T *q, const T *k, const T *v, const T *table, const T *dout, const float *lse, float *delta,       \
     ATTENTION_PARAMETERS)
FOR_FLOATS(attention_delta, DELTA, (q, k, v, table, dout, lse, delta, ATTENTION))

#define BACKWARD_QUERY(T)                                                                                          \
    (const T *q, const T *k, const T *v, const T *table, const T *dout, const float *lse, const float *delta, T *dq, \
     bool accumulate, float *partial, int bucket_count, ATTENTION_PARAMETERS)
FOR_FLOATS(attention_backward_query, BACKWARD_QUERY,
           (q, k, v, table, dout, lse, delta, dq, accumulate, partial, bucket_count, ATTENTION))

#define BACKWARD_TABLE(T) \
    (const float *partial, int blocks, int heads, int bucket_count, T *dtable, bool accumulate)
FOR_FLOATS(attention_backward_table, BACKWARD_TABLE, (partial, blocks, heads, bucket_count, dtable, accumulate))

#define BACKWARD_KEY(T)                                                                                            \
    (const T *q, const T *k, const T *v, const T *table, const T *dout, const float *lse, const float *delta, T *dk, \
     bool accumulate_k, T *dv, bool accumulate_v, ATTENTION_PARAMETERS)
FOR_FLOATS(attention_backward_key, BACKWARD_KEY,
           (q, k, v, table, dout, lse, delta, dk, accumulate_k, dv, accumulate_v, ATTENTION))
