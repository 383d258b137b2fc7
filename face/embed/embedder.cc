#include "face/embed/embedder.h"

#include <fmt/format.h>

namespace facegate {

std::string ComputeText(const Compute& compute) {
  if (compute.device_name.empty()) {
    return fmt::format("{}, {} {}", compute.device, compute.threads,
                       compute.threads == 1 ? "thread" : "threads");
  }
  return fmt::format("{} ({}), {}", compute.device, compute.device_name, compute.precision);
}

}  // namespace facegate
