#include "face/onnx/half_tensor.h"

#include <opencv2/core/cvdef.h>

#include <cstdint>
#include <cstring>

namespace facegate {
namespace {

template <typename Number>
Number NumberAt(const std::string& bytes, size_t index) {
  Number number;
  std::memcpy(&number, bytes.data() + index * sizeof(Number), sizeof(Number));
  return number;
}

template <typename Number>
void SetNumber(Number number, size_t index, std::string& bytes) {
  std::memcpy(bytes.data() + index * sizeof(Number), &number, sizeof(Number));
}

}  // namespace

Tensor WidenHalf(const Tensor& half) {
  Tensor whole{.dtype = DType::kF32, .shape = half.shape, .bytes = {}};
  const size_t count = half.bytes.size() / sizeof(cv::float16_t);
  whole.bytes.resize(count * sizeof(float));
  for (size_t i = 0; i < count; ++i) {
    SetNumber(static_cast<float>(NumberAt<cv::float16_t>(half.bytes, i)), i, whole.bytes);
  }
  return whole;
}

std::optional<Tensor> NarrowToHalf(const Tensor& whole) {
  Tensor half{.dtype = DType::kF16, .shape = whole.shape, .bytes = {}};
  const size_t count = whole.bytes.size() / sizeof(float);
  half.bytes.resize(count * sizeof(cv::float16_t));
  for (size_t i = 0; i < count; ++i) {
    SetNumber(cv::float16_t(NumberAt<float>(whole.bytes, i)), i, half.bytes);
  }
  if (WidenHalf(half).bytes != whole.bytes) return std::nullopt;
  return half;
}

}  // namespace facegate
