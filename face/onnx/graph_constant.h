#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "face/base/status.h"
#include "face/weights/weights.h"

namespace facegate {

// A constant of a graph that is followed, in C order: fractions (F16, F32 and F64 become F32), or
// whole numbers (I32 and I64), which are shapes and axes.
struct GraphConstant {
  std::vector<int64_t> shape{};
  bool whole = false;
  std::vector<float> reals{};     // where it is not whole
  std::vector<int64_t> wholes{};  // where it is

  size_t size() const { return whole ? wholes.size() : reals.size(); }
};

// Takes a tensor's numbers. kInvalidArgument for another type.
StatusOr<GraphConstant> ConstantOf(const Tensor& tensor);

}  // namespace facegate
