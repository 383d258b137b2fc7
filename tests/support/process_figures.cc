#include "tests/support/process_figures.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace facegate {
namespace {

namespace fs = std::filesystem;

// The number behind `name` in /proc/PID/status.
uint64_t StatusNumber(pid_t pid, std::string_view name) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; in >> word;) {
    uint64_t number = 0;
    if (word == name && in >> number) return number;
  }
  return 0;
}

}  // namespace

uint64_t ResidentBytes(pid_t pid) { return StatusNumber(pid, "VmRSS:") * 1024; }

uint64_t PeakResidentBytes(pid_t pid) { return StatusNumber(pid, "VmHWM:") * 1024; }

size_t OpenFiles(pid_t pid) {
  std::error_code gone;
  const fs::directory_iterator files("/proc/" + std::to_string(pid) + "/fd", gone);
  return gone ? 0 : static_cast<size_t>(std::distance(begin(files), end(files)));
}

size_t ThreadCount(pid_t pid) { return static_cast<size_t>(StatusNumber(pid, "Threads:")); }

}  // namespace facegate
