// Philox4x32-10 as io.mixt5.engine.Philox has it (Salmon et al., SC 2011): the same bits for the same
// (seed, stream, step, index), so that masks are the CPU's.
#pragma once

#include <stdint.h>

// The four words of elements 4 * quad to 4 * quad + 3.
__device__ __forceinline__ uint4 philox(uint64_t seed, uint32_t stream, uint32_t step, uint64_t quad) {
    uint32_t c0 = static_cast<uint32_t>(quad), c1 = static_cast<uint32_t>(quad >> 32), c2 = stream, c3 = step;
    uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
#pragma unroll
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = static_cast<uint64_t>(0xD2511F53u) * c0;
        uint64_t p1 = static_cast<uint64_t>(0xCD9E8D57u) * c2;
        c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
        c1 = static_cast<uint32_t>(p1);
        c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
        c3 = static_cast<uint32_t>(p0);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return make_uint4(c0, c1, c2, c3);
}

__device__ __forceinline__ uint32_t word(uint4 bits, int place) {
    return place == 0 ? bits.x : place == 1 ? bits.y : place == 2 ? bits.z : bits.w;
}

// The 32 bits of one element.
__device__ __forceinline__ uint32_t philox_bits(uint64_t seed, uint32_t stream, uint32_t step, uint64_t index) {
    return word(philox(seed, stream, step, index >> 2), static_cast<int>(index & 3));
}

// A dropout site, as io.mixt5.engine.Dropout: threshold 0 keeps everything.
struct Dropout {
    uint64_t seed;
    uint32_t stream;
    uint32_t step;
    uint32_t threshold;
    float scale;

    __device__ __forceinline__ float factor(uint32_t bits) const { return (bits >> 8) >= threshold ? scale : 0.f; }

    __device__ __forceinline__ float factor_at(uint64_t index) const {
        return threshold == 0 ? 1.f : factor(philox_bits(seed, stream, step, index));
    }
};
