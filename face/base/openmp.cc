#include "face/base/openmp.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace facegate {

bool WaitBrieflyInOpenMp() {
  constexpr char kPolicy[] = "OMP_WAIT_POLICY";
  constexpr char kSpins[] = "GOMP_SPINCOUNT";
  if (std::getenv(kPolicy) != nullptr || std::getenv(kSpins) != nullptr) return false;
  return ::setenv(kPolicy, "passive", 1) == 0 && ::setenv(kSpins, "20000", 1) == 0;
}

void WaitBrieflyInOpenMp(char** argv) {
  if (!WaitBrieflyInOpenMp()) return;
  // The program is started again by the file's own path, which names the process in ps, top and
  // cores; by "/proc/self/exe" its name would be exe. A call returns only when it fails, and in the
  // end the program runs on as it is, slower under load.
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) ::execv(self.c_str(), argv);
  ::execv("/proc/self/exe", argv);
}

}  // namespace facegate
