#include "face/base/openmp.h"

#include <unistd.h>

#include <cstdlib>

namespace facegate {

void WaitBrieflyInOpenMp(char** argv) {
  constexpr char kPolicy[] = "OMP_WAIT_POLICY";
  constexpr char kSpins[] = "GOMP_SPINCOUNT";
  if (std::getenv(kPolicy) != nullptr || std::getenv(kSpins) != nullptr) return;
  if (::setenv(kPolicy, "passive", 1) != 0 || ::setenv(kSpins, "20000", 1) != 0) return;
  // Returns only when it fails; then the program runs on, slower under load.
  ::execv("/proc/self/exe", argv);
}

}  // namespace facegate
