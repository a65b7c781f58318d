// Adafactor for all parameters at once, a launch for each step of the formula; the gradient is read four times and
// nothing is written but the state and the weights. All sums have a fixed order.
//
// A vector, which keeps its whole second moment, is a matrix of one column without a moment of columns.
#include "updates.cuh"

constexpr int PANEL = WARP;    // columns of a tile
constexpr int STRIPE = 512;    // rows of a tile; CudaAdafactor knows it too

// A parameter [R, C] and its state; the Java side is CudaAdafactor. The firsts say which warps, blocks and threads of a
// launch are the parameter's.
struct FactoredSlot {
    int64_t weight;
    int64_t gradient;
    int64_t row_moment;
    int64_t column_moment; // null for a vector
    int64_t rows;
    int64_t columns;
    int64_t first_row;
    int64_t first_tile;
    int64_t first_column;
    int64_t partial; // where its sums by stripe [stripes, C] begin
    int64_t decay;   // the bits of a float
    int64_t gradient_rows; // from how many the gradient comes; null when that does not matter
    int64_t place;   // of the parameter's number of updates
};

constexpr int FIELDS = sizeof(FactoredSlot) / sizeof(int64_t);
constexpr float EPS1 = 1e-30f;
constexpr float EPS2 = 1e-3f;

// What the launches find out about a parameter, one after the other.
struct Size {
    int due;    // 0 when the parameter stays as it is
    float clip; // what gradients are multiplied by
    float beta; // 1 - t^decay_rate
    float take; // 1 - beta
    float row_mean; // of the row moments
    float weights;  // mean square of the weights
    float keep;     // what weight decay leaves
    float step;     // what the update is multiplied by
};

// Counts the update, by a thread for each parameter. powf is right to 4 units in the last place of a float, which is
// what the moments are.
extern "C" __global__ void adafactor_begin(const FactoredSlot *slots, int slot_count, UPDATES_PARAMETERS,
                                           float decay_rate, Size *sizes) {
    int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= slot_count) {
        return;
    }
    Updates updates = UPDATES_ARGUMENTS;
    int t = updates.next(slots[index].place, reinterpret_cast<const int *>(slots[index].gradient_rows));
    Size size = {};
    if (t > 0) {
        size.due = 1;
        size.clip = updates.clip_factor();
        size.take = powf(static_cast<float>(t), decay_rate);
        size.beta = 1 - size.take;
    }
    sizes[index] = size;
}

// A row of a parameter, for one warp.
template <typename T> struct Row {
    FactoredSlot slot;
    int64_t row;
    const T *gradient;
    T *weight;
    const Size *size;

    // The warp's row, or false past the last and where the parameter stays as it is.
    __device__ __forceinline__ bool find(const FactoredSlot *slots, int slot_count, const Size *sizes, int64_t rows) {
        int64_t item = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / WARP;
        if (item >= rows) {
            return false;
        }
        int index = find_slot(&slots->first_row, FIELDS, slot_count, item);
        size = &sizes[index];
        if (size->due == 0) {
            return false;
        }
        slot = slots[index];
        row = item - slot.first_row;
        gradient = reinterpret_cast<const T *>(slot.gradient) + row * slot.columns;
        weight = reinterpret_cast<T *>(slot.weight) + row * slot.columns;
        return true;
    }

    // The row's share of 1 / sqrt(second moment).
    __device__ __forceinline__ float row_factor() const {
        float moment = to_float(reinterpret_cast<const T *>(slot.row_moment)[row]);
        return size->clip / sqrtf(slot.column_moment == 0 ? moment : moment / size->row_mean);
    }

    __device__ __forceinline__ float update(float row_factor, int64_t column) const {
        float update = to_float(gradient[column]) * row_factor;
        return slot.column_moment == 0
                   ? update
                   : update / sqrtf(to_float(reinterpret_cast<const T *>(slot.column_moment)[column]));
    }
};

template <typename T> __device__ __forceinline__ void average(int64_t moments, int64_t at, float mean, const Size &size) {
    T *moment = reinterpret_cast<T *>(moments) + at;
    *moment = from_float<T>(size.beta * to_float(*moment) + size.take * mean);
}

// The row moments, by a warp for each row; and each row's sum of the weights' squares, where that is wanted.
template <typename T>
__device__ void adafactor_rows(const FactoredSlot *slots, int slot_count, const Size *sizes, bool scale_parameter,
                               int64_t rows, float *row_sums) {
    Row<T> row;
    if (!row.find(slots, slot_count, sizes, rows)) {
        return;
    }
    float clip = row.size->clip;
    float squares = 0;
    float weights = 0;
    for (int64_t i = threadIdx.x % WARP; i < row.slot.columns; i += WARP) {
        float g = to_float(row.gradient[i]) * clip;
        float w = scale_parameter ? to_float(row.weight[i]) : 0;
        squares += g * g;
        weights += w * w;
    }
    squares = warp_sum(squares);
    weights = warp_sum(weights);
    if (threadIdx.x % WARP == 0) {
        average<T>(row.slot.row_moment, row.row, squares / row.slot.columns + EPS1, *row.size);
        row_sums[row.slot.first_row + row.row] = weights;
    }
}

#define ROWS_PARAMETERS(T) (const FactoredSlot *slots, int slot_count, const Size *sizes, bool scale_parameter, \
                            int64_t rows, float *row_sums)
FOR_FLOATS(adafactor_rows, ROWS_PARAMETERS, (slots, slot_count, sizes, scale_parameter, rows, row_sums))

// Sums of the gradient's squares in the columns of a tile, by blocks of PANEL * 8 threads.
template <typename T>
__device__ void adafactor_columns(const FactoredSlot *slots, int slot_count, const Size *sizes, float *partial) {
    constexpr int HEIGHT = 8;
    __shared__ float sums[HEIGHT][PANEL];
    int index = find_slot(&slots->first_tile, FIELDS, slot_count, blockIdx.x);
    if (sizes[index].due == 0) {
        return;
    }
    FactoredSlot slot = slots[index];
    int64_t panels = (slot.columns + PANEL - 1) / PANEL;
    int64_t tile = blockIdx.x - slot.first_tile;
    int64_t stripe = tile / panels;
    int64_t column = tile % panels * PANEL + threadIdx.x % PANEL;
    int lane = threadIdx.x / PANEL;
    int64_t end = min(slot.rows, (stripe + 1) * STRIPE);
    float clip = sizes[index].clip;
    const T *gradient = reinterpret_cast<const T *>(slot.gradient);
    float sum = 0;
    if (column < slot.columns) {
        for (int64_t row = stripe * STRIPE + lane; row < end; row += HEIGHT) {
            float g = to_float(gradient[row * slot.columns + column]) * clip;
            sum += g * g;
        }
    }
    sums[lane][threadIdx.x % PANEL] = sum;
    __syncthreads();
    if (lane == 0 && column < slot.columns) {
        for (int i = 1; i < HEIGHT; i++) {
            sum += sums[i][threadIdx.x];
        }
        partial[slot.partial + stripe * slot.columns + column] = sum;
    }
}

#define COLUMNS_PARAMETERS(T) (const FactoredSlot *slots, int slot_count, const Size *sizes, float *partial)
FOR_FLOATS(adafactor_columns, COLUMNS_PARAMETERS, (slots, slot_count, sizes, partial))

// The column moments from the tiles' sums, by a thread for each column.
template <typename T>
__device__ void adafactor_column_moments(const FactoredSlot *slots, int slot_count, const Size *sizes, int64_t columns,
                                         const float *partial) {
    int64_t item = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (item >= columns) {
        return;
    }
    int index = find_slot(&slots->first_column, FIELDS, slot_count, item);
    if (sizes[index].due == 0) {
        return;
    }
    FactoredSlot slot = slots[index];
    int64_t column = item - slot.first_column;
    int64_t stripes = (slot.rows + STRIPE - 1) / STRIPE;
    float sum = 0;
    for (int64_t stripe = 0; stripe < stripes; stripe++) {
        sum += partial[slot.partial + stripe * slot.columns + column];
    }
    average<T>(slot.column_moment, column, sum / slot.rows + EPS1, sizes[index]);
}

#define MOMENTS_PARAMETERS(T) (const FactoredSlot *slots, int slot_count, const Size *sizes, int64_t columns, \
                               const float *partial)
FOR_FLOATS(adafactor_column_moments, MOMENTS_PARAMETERS, (slots, slot_count, sizes, columns, partial))

// The mean of the row moments and of the weights' squares, by a block for each parameter.
template <typename T>
__device__ void adafactor_means(const FactoredSlot *slots, const float *row_sums, Size *sizes) {
    __shared__ float scratch[WARP + 1];
    if (sizes[blockIdx.x].due == 0) {
        return;
    }
    FactoredSlot slot = slots[blockIdx.x];
    const T *moments = reinterpret_cast<const T *>(slot.row_moment);
    float moment = 0;
    float weights = 0;
    for (int64_t row = threadIdx.x; row < slot.rows; row += blockDim.x) {
        moment += to_float(moments[row]);
        weights += row_sums[slot.first_row + row];
    }
    moment = block_sum(moment, scratch) / slot.rows;
    weights = block_sum(weights, scratch);
    if (threadIdx.x == 0) {
        sizes[blockIdx.x].row_mean = moment;
        sizes[blockIdx.x].weights = weights / (static_cast<float>(slot.rows) * slot.columns);
    }
}

#define MEANS_PARAMETERS(T) (const FactoredSlot *slots, const float *row_sums, Size *sizes)
FOR_FLOATS(adafactor_means, MEANS_PARAMETERS, (slots, row_sums, sizes))

// Each row's sum of the update's squares, by a warp.
template <typename T>
__device__ void adafactor_updates(const FactoredSlot *slots, int slot_count, const Size *sizes, int64_t rows,
                                  float *row_sums) {
    Row<T> row;
    if (!row.find(slots, slot_count, sizes, rows)) {
        return;
    }
    float factor = row.row_factor();
    float sum = 0;
    for (int64_t i = threadIdx.x % WARP; i < row.slot.columns; i += WARP) {
        float update = row.update(factor, i);
        sum += update * update;
    }
    sum = warp_sum(sum);
    if (threadIdx.x % WARP == 0) {
        row_sums[row.slot.first_row + row.row] = sum;
    }
}

#define SUMS_PARAMETERS(T) (const FactoredSlot *slots, int slot_count, const Size *sizes, int64_t rows, float *row_sums)
FOR_FLOATS(adafactor_updates, SUMS_PARAMETERS, (slots, slot_count, sizes, rows, row_sums))

// How far to go, by a block for each parameter.
extern "C" __global__ void adafactor_steps(const FactoredSlot *slots, float learning_rate, bool scale_parameter,
                                           float clip_threshold, const float *row_sums, Size *sizes) {
    __shared__ float scratch[WARP + 1];
    Size &size = sizes[blockIdx.x];
    if (size.due == 0) {
        return;
    }
    FactoredSlot slot = slots[blockIdx.x];
    float updates = 0;
    for (int64_t row = threadIdx.x; row < slot.rows; row += blockDim.x) {
        updates += row_sums[slot.first_row + row];
    }
    updates = block_sum(updates, scratch) / (static_cast<float>(slot.rows) * slot.columns);
    if (threadIdx.x == 0) {
        float root = sqrtf(size.weights);
        // Not fmaxf, which takes a NaN for the smaller.
        float rate = learning_rate * (!scale_parameter ? 1 : root < EPS2 ? EPS2 : root);
        float excess = sqrtf(updates) / clip_threshold;
        size.keep = 1 - rate * __int_as_float(static_cast<int>(slot.decay));
        size.step = rate / (excess < 1 ? 1 : excess);
    }
}

// w = keep w - step U, by a warp for each row.
template <typename T>
__device__ void adafactor_apply(const FactoredSlot *slots, int slot_count, const Size *sizes, int64_t rows) {
    Row<T> row;
    if (!row.find(slots, slot_count, sizes, rows)) {
        return;
    }
    float factor = row.row_factor();
    float keep = row.size->keep;
    float step = row.size->step;
    for (int64_t i = threadIdx.x % WARP; i < row.slot.columns; i += WARP) {
        row.weight[i] = from_float<T>(to_float(row.weight[i]) * keep - step * row.update(factor, i));
    }
}

#define APPLY_PARAMETERS(T) (const FactoredSlot *slots, int slot_count, const Size *sizes, int64_t rows)
FOR_FLOATS(adafactor_apply, APPLY_PARAMETERS, (slots, slot_count, sizes, rows))
