// Compiled for AVX-512F where the compiler targets x86-64 (CMakeLists.txt).
#define FACEGATE_SIMD_LANES 16
#include "trainer/fused/simd_body.h"

namespace facegate {

SimdKernels Avx512Kernels() { return KernelsNamed("avx512"); }

}  // namespace facegate
