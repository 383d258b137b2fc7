#include "index/rows/code_kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <algorithm>

namespace facegate {
namespace {

#if defined(__x86_64__)
// Whether the processor has tiles and this process may use them: Linux keeps their 8 KiB for the
// threads of those processes alone that have asked for it, and other systems are not asked.
bool HasTiles() {
  constexpr unsigned kSevenEdx = (1U << 24) | (1U << 25);  // AMX-TILE, AMX-INT8
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  if ((edx & kSevenEdx) != kSevenEdx) return false;
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023;
  constexpr long kTileData = 18;
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}
#endif

std::vector<CodeKernel> FindUsable() {
  std::vector<CodeKernel> usable;
  usable.reserve(4);
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vnni") != 0) {
    if (HasTiles()) usable.push_back(AmxCodeKernel());
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

CodeKernel PortableCodeKernel() {
  return {.name = "portable", .scan = ScanCodesPortably, .products_at_once = size_t{1} << 19};
}

#if defined(__x86_64__)

CodeKernel Avx2CodeKernel() {
  return {.name = "avx2", .scan = ScanCodesByAvx2, .products_at_once = size_t{1} << 22};
}

CodeKernel Avx512CodeKernel() {
  return {.name = "avx512-vnni", .scan = ScanCodesByAvx512, .products_at_once = size_t{1} << 22};
}

CodeKernel AmxCodeKernel() {
  return {.name = "amx-int8",
          .scan = ScanCodesByAmx,
          .queries_at_once = kMostQueriesAtOnce,
          .products_at_once = size_t{1} << 22};
}

#endif

const std::vector<CodeKernel>& UsableCodeKernels() {
  static const std::vector<CodeKernel> usable = FindUsable();
  return usable;
}

std::vector<std::string_view> UnusableCodeKernels() {
  std::vector<std::string_view> names{"amx-int8", "avx512-vnni", "avx2"};
  std::erase_if(names, [](std::string_view name) {
    return std::any_of(UsableCodeKernels().begin(), UsableCodeKernels().end(),
                       [&](const CodeKernel& kernel) { return kernel.name == name; });
  });
  return names;
}

}  // namespace facegate
