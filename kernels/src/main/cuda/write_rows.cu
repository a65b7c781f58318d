// target[rows[i]] = source[i], a block to a row.
#include "rows.cuh"

template <typename T> __device__ void write_rows(const T *source, const int *rows, T *target, int64_t columns) {
    int64_t row = blockIdx.x;
    FOR_WIDTH(copy_row, T, columns, (source + row * columns, target + rows[row] * columns, columns))
}

#define PARAMETERS(T) (const T *source, const int *rows, T *target, int64_t columns)
FOR_FLOATS(write_rows, PARAMETERS, (source, rows, target, columns))
