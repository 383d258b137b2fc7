#pragma once

#include <torch/types.h>

#include <optional>

#include "face/base/precision.h"

namespace facegate {

// The type that operators compute in by a precision; nothing: fp32.
std::optional<torch::ScalarType> NarrowType(Precision precision);

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
