#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "face/base/status.h"
#include "face/weights/weights.h"

namespace facegate {

inline constexpr size_t kMaxConstantRank = 8;

// A constant of a graph that is followed, of up to kMaxConstantRank extents, in C order: fractions
// (F16, F32 and F64 become F32), or whole numbers (I32 and I64), which are shapes and axes.
struct GraphConstant {
  std::vector<int64_t> shape{};
  bool whole = false;
  std::vector<float> reals{};     // where it is not whole
  std::vector<int64_t> wholes{};  // where it is

  size_t size() const { return whole ? wholes.size() : reals.size(); }
};

// The inputs of a node; one that is left out is null.
using ConstantInputs = std::span<const GraphConstant* const>;

// Takes a tensor's numbers. kInvalidArgument for another type, and for more extents.
StatusOr<GraphConstant> ConstantOf(const Tensor& tensor);

}  // namespace facegate
