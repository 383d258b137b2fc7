#include "index/rows/code_kernels.h"

#include <algorithm>

namespace facegate {
namespace {

std::vector<CodeKernel> FindUsable() {
  std::vector<CodeKernel> usable;
  usable.reserve(3);
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vnni") != 0) {
    usable.push_back(Avx512CodeKernel());
  }
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) {
    usable.push_back(Avx2CodeKernel());
  }
#endif
  usable.push_back(PortableCodeKernel());
  return usable;
}

}  // namespace

const std::vector<CodeKernel>& UsableCodeKernels() {
  static const std::vector<CodeKernel> usable = FindUsable();
  return usable;
}

std::vector<std::string_view> UnusableCodeKernels() {
  std::vector<std::string_view> names{"avx512-vnni", "avx2"};
  std::erase_if(names, [](std::string_view name) {
    return std::any_of(UsableCodeKernels().begin(), UsableCodeKernels().end(),
                       [&](const CodeKernel& kernel) { return kernel.name == name; });
  });
  return names;
}

}  // namespace facegate
