/*
 * A stand-in for NVIDIA's driver library: what is called of it goes to whoever has installed a target, which in this
 * project's tests is Java. Until then every call says that there is no device.
 *
 * NVIDIA's cuda.h, where there is one, makes the compiler check every signature. It calls a function by its newest
 * version unless told that the library itself is being compiled.
 */
#if __has_include(<cuda.h>)
#define __CUDA_API_VERSION_INTERNAL
#include <cuda.h>
#else
#include "driver-types.h"
#endif

#define FUNCTIONS "driver.def"
#define STATUS CUresult
#define UNSET CUDA_ERROR_NO_DEVICE
#include "forward.h"
