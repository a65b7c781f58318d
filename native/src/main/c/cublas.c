/*
 * A stand-in for libcublas.so.12, like that for the driver: products go to whoever has installed a target. Until then
 * every call says that cuBLAS is not initialised.
 */
#if __has_include(<cublas_v2.h>)
#include <cublas_v2.h>
#else
#include "cublas-types.h"
#endif

#define FUNCTIONS "cublas.def"
#define STATUS cublasStatus_t
#define UNSET CUBLAS_STATUS_NOT_INITIALIZED
#include "forward.h"
