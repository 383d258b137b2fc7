#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "face/weights/weights.h"

// What those who write graphs and those who follow them have in common.
namespace facegate {

// The operators that join values, in the order of network::Join.
inline constexpr std::array<std::string_view, 5> kJoinOperators = {"Add", "Sub", "Mul", "Div",
                                                                   "Concat"};

inline Tensor FloatTensor(std::vector<int64_t> shape, std::span<const float> numbers) {
  Tensor tensor{.dtype = DType::kF32, .shape = std::move(shape), .bytes = {}};
  tensor.bytes.assign(reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes());
  return tensor;
}

}  // namespace facegate
