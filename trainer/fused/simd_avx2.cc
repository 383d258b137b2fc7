// Compiled for AVX2 and FMA where the compiler targets x86-64 (CMakeLists.txt).
#define FACEGATE_SIMD_LANES 8
#include "trainer/fused/simd_body.h"

namespace facegate {

SimdKernels Avx2Kernels() { return KernelsNamed("avx2"); }

}  // namespace facegate
