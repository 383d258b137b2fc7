#include "trainer/learn/autocast.h"

#include <ATen/autocast_mode.h>
#include <torch/version.h>

namespace facegate {
namespace {

#if TORCH_VERSION_MAJOR >= 2

void Enable(torch::DeviceType device, torch::ScalarType type) {
  at::autocast::set_autocast_dtype(device, type);
  at::autocast::set_autocast_enabled(device, true);
}

void Disable(torch::DeviceType device) { at::autocast::set_autocast_enabled(device, false); }

#else

// This version is built for CPUs alone.
void Enable(torch::DeviceType /*device*/, torch::ScalarType type) {
  at::autocast::set_autocast_cpu_dtype(type);
  at::autocast::set_cpu_enabled(true);
}

void Disable(torch::DeviceType /*device*/) { at::autocast::set_cpu_enabled(false); }

#endif

}  // namespace

std::optional<torch::ScalarType> NarrowType(Precision precision) {
  if (precision == Precision::kBf16) return torch::kBFloat16;
  if (precision == Precision::kFp16) return torch::kHalf;
  return std::nullopt;
}

AutocastScope::AutocastScope(torch::DeviceType device, std::optional<torch::ScalarType> type)
    : device_(device), on_(type.has_value()) {
  if (on_) Enable(device_, *type);
}

AutocastScope::~AutocastScope() {
  if (!on_) return;
  at::autocast::clear_cache();
  Disable(device_);
}

}  // namespace facegate
