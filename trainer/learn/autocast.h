#pragma once

#include <torch/types.h>

#include <optional>

namespace facegate {

// Operators that gain by it compute in a narrower type on the calling thread, until the end of the
// scope. LibTorch's versions differ in how that is asked for; this is the one place that knows.
class AutocastScope {
 public:
  // `type` is kBFloat16, kHalf (on a card alone), or nothing: then the scope changes nothing.
  AutocastScope(torch::DeviceType device, std::optional<torch::ScalarType> type);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  const torch::DeviceType device_;
  const bool on_;
};

}  // namespace facegate
