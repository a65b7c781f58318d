// Cross-entropy over rows of logits, a block for each row.
#include "softmax_sum.cuh"

constexpr int IGNORE = -100;

template <typename T>
__device__ void cross_entropy_lse(const T *logits, int64_t classes, float *stats) {
    constexpr int SIZE = Vector<T>::SIZE;
    const T *row = logits + blockIdx.x * classes;
    SoftmaxSum total = {-INFINITY, 0};
    if (rows_aligned<T>(classes)) {
        for (int64_t i = threadIdx.x * SIZE; i < classes; i += static_cast<int64_t>(blockDim.x) * SIZE) {
            Vector<T> v;
            v.load(row + i);
#pragma unroll
            for (int j = 0; j < SIZE; j++) {
                total.add(to_float(v.element[j]));
            }
        }
    } else {
        for (int64_t i = threadIdx.x; i < classes; i += blockDim.x) {
            total.add(to_float(row[i]));
        }
    }
    float lse = total.log_sum_exp();
    if (threadIdx.x == 0) {
        stats[blockIdx.x] = lse;
    }
}

#define LSE_PARAMETERS(T) (const T *logits, int64_t classes, float *stats)
FOR_FLOATS(cross_entropy_lse, LSE_PARAMETERS, (logits, classes, stats))

// One block: the mean over the rows, in a fixed order, and their number at the end of stats.
template <typename T>
__device__ void cross_entropy_mean(const T *logits, const int *labels, int64_t rows, int64_t classes, float *stats,
                                   float *loss) {
    __shared__ float scratch[WARP + 1];
    float sum = 0;
    float count = 0;
    for (int64_t row = threadIdx.x; row < rows; row += blockDim.x) {
        int label = labels[row];
        if (label != IGNORE) {
            sum += stats[row] - to_float(logits[row * classes + label]);
            count += 1;
        }
    }
    sum = block_sum(sum, scratch);
    count = block_sum(count, scratch);
    if (threadIdx.x == 0) {
        stats[rows] = count;
        *loss = count == 0 ? 0 : sum / count;
    }
}

#define MEAN_PARAMETERS(T) (const T *logits, const int *labels, int64_t rows, int64_t classes, float *stats, float *loss)
FOR_FLOATS(cross_entropy_mean, MEAN_PARAMETERS, (logits, labels, rows, classes, stats, loss))

template <typename T>
__device__ void cross_entropy_backward(const T *logits, const int *labels, const float *stats, int64_t classes,
                                       const float *dloss, T *dlogits, bool accumulate) {
    constexpr int SIZE = Vector<T>::SIZE;
    int64_t start = blockIdx.x * classes;
    int label = labels[blockIdx.x];
    bool ignored = label == IGNORE;
    if (ignored && accumulate) {
        return;
    }
    // gridDim.x is the number of rows, behind whose log-sum-exps the number of labels lies.
    float scale = *dloss / fmaxf(1, stats[gridDim.x]);
    float lse = stats[blockIdx.x];
    if (rows_aligned<T>(classes)) {
        for (int64_t i = threadIdx.x * SIZE; i < classes; i += static_cast<int64_t>(blockDim.x) * SIZE) {
            Vector<T> x, y;
            x.load(logits + start + i);
            if (accumulate) {
                y.load(dlogits + start + i);
            }
#pragma unroll
            for (int j = 0; j < SIZE; j++) {
                float p = expf(to_float(x.element[j]) - lse) - (i + j == label ? 1 : 0);
                put(&y.element[j], ignored ? 0 : scale * p, accumulate);
            }
            y.store(dlogits + start + i);
        }
    } else {
        for (int64_t i = threadIdx.x; i < classes; i += blockDim.x) {
            float p = expf(to_float(logits[start + i]) - lse) - (i == label ? 1 : 0);
            put(dlogits + start + i, ignored ? 0 : scale * p, accumulate);
        }
    }
}

#define BACKWARD_PARAMETERS(T) (const T *logits, const int *labels, const float *stats, int64_t classes, \
                                const float *dloss, T *dlogits, bool accumulate)
FOR_FLOATS(cross_entropy_backward, BACKWARD_PARAMETERS, (logits, labels, stats, classes, dloss, dlogits, accumulate))
