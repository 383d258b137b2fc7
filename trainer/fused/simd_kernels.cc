#include "trainer/fused/simd_kernels.h"

namespace facegate {
namespace {

std::vector<SimdKernels> FindUsable() {
  std::vector<SimdKernels> usable;
  usable.reserve(3);
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") != 0) usable.push_back(Avx512Kernels());
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) {
    usable.push_back(Avx2Kernels());
  }
#endif
  usable.push_back(PortableKernels());
  return usable;
}

}  // namespace

const std::vector<SimdKernels>& UsableSimdKernels() {
  static const std::vector<SimdKernels> usable = FindUsable();
  return usable;
}

}  // namespace facegate
