// Row i of y is row ids[i] of the table.
//
// Backward, each block owns the ids that fall into its bucket. It looks through all ids, lists those that are its own,
// brings equal ones together and adds up their rows of dy in order, in float, before it adds the sum to the table. So
// no two blocks meet in one row, every run gives the same bits, and dy is read once.
#include "rows.cuh"

constexpr int THREADS = 128;
constexpr int WARPS = THREADS / WARP;
constexpr int BUCKETS = 512;
constexpr int LISTED = 1024;

template <typename T> __device__ void embedding_forward(const T *table, const int *ids, T *y, int64_t columns) {
    int64_t row = blockIdx.x;
    FOR_WIDTH(copy_row, T, columns, (table + ids[row] * columns, y + row * columns, columns))
}

// Ids and the rows of dy that go there, in the rows' order.
struct List {
    int id[LISTED];
    int row[LISTED];
};

// Adds to the table what is listed, equal ids being neighbours.
template <typename T, int WIDTH>
__device__ __forceinline__ void add_runs(const List &list, int count, const T *dy, T *dtable, int64_t columns) {
    for (int64_t i = static_cast<int64_t>(threadIdx.x) * WIDTH; i < columns; i += THREADS * WIDTH) {
        for (int first = 0, end; first < count; first = end) {
            int id = list.id[first];
            end = first + 1;
            while (end < count && list.id[end] == id) {
                end++;
            }
            float sum[WIDTH] = {};
#pragma unroll 4
            for (int entry = first; entry < end; entry++) {
                float value[WIDTH];
                load<T, WIDTH>(dy + list.row[entry] * columns + i, value);
#pragma unroll
                for (int j = 0; j < WIDTH; j++) {
                    sum[j] += value[j];
                }
            }
            put<T, WIDTH>(sum, dtable + id * columns + i, true);
        }
    }
}

// Moves the listed to where they stand by id, and by row among equals.
__device__ __forceinline__ void sort(const List &list, int count, List &sorted) {
    for (int entry = threadIdx.x; entry < count; entry += THREADS) {
        int id = list.id[entry];
        int place = 0;
        for (int other = 0; other < count; other++) {
            place += list.id[other] < id || (list.id[other] == id && other < entry);
        }
        sorted.id[place] = id;
        sorted.row[place] = list.row[entry];
    }
}

template <typename T>
__device__ __forceinline__ void add_listed(const List &list, int count, List &sorted, const T *dy, T *dtable,
                                           int64_t columns) {
    __syncthreads();
    sort(list, count, sorted);
    __syncthreads();
    FOR_WIDTH(add_runs, T, columns, (sorted, count, dy, dtable, columns))
}

template <typename T>
__device__ __forceinline__ void embedding_backward(const int *ids, const T *dy, T *dtable, int n, int64_t columns) {
    __shared__ List list, sorted;
    __shared__ int taken[WARPS];
    int warp = threadIdx.x / WARP;
    unsigned lower = (1u << threadIdx.x % WARP) - 1;
    int count = 0;
    for (int start = 0; start < n; start += THREADS) {
        int row = start + threadIdx.x;
        int id = row < n ? ids[row] : 0;
        bool take = row < n && static_cast<unsigned>(id) % BUCKETS == blockIdx.x;
        unsigned takers = __ballot_sync(ALL_LANES, take);
        // The last round's counts have been read.
        __syncthreads();
        if (threadIdx.x % WARP == 0) {
            taken[warp] = __popc(takers);
        }
        __syncthreads();
        int place = count + __popc(takers & lower);
#pragma unroll
        for (int other = 0; other < WARPS; other++) {
            place += other < warp ? taken[other] : 0;
            count += taken[other];
        }
        if (take) {
            list.id[place] = id;
            list.row[place] = row;
        }
        if (count > LISTED - THREADS) {
            add_listed(list, count, sorted, dy, dtable, columns);
            count = 0;
        }
    }
    add_listed(list, count, sorted, dy, dtable, columns);
}

#define FORWARD(T) (const T *table, const int *ids, T *y, int64_t columns)
FOR_FLOATS(embedding_forward, FORWARD, (table, ids, y, columns))

#define BACKWARD(T) (const int *ids, const T *dy, T *dtable, int n, int64_t columns)
FOR_FLOATS(embedding_backward, BACKWARD, (ids, dy, dtable, n, columns))
