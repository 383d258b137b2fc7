#include "face/model/landmark_file.h"

#include <fmt/format.h>
#include <opencv2/core/cvdef.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "face/base/file.h"
#include "face/model/quote.h"
#include "face/model/safetensors.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxFileBytes = 4 << 20;
constexpr char kKind[] = "kind";
constexpr char kKindValue[] = "facegate-landmarks-1";
constexpr char kDigest[] = "digest";
constexpr size_t kDigestDigits = 12;

template <typename Number>
void AppendNumbers(const std::string& bytes, std::vector<float>& values) {
  for (size_t at = 0; at + sizeof(Number) <= bytes.size(); at += sizeof(Number)) {
    Number number;
    std::memcpy(&number, bytes.data() + at, sizeof(Number));
    values.push_back(static_cast<float>(number));
  }
}

StatusOr<LandmarkTensor> FromFile(const std::string& name, const Tensor& stored) {
  LandmarkTensor tensor;
  tensor.shape.reserve(stored.shape.size());
  for (const int64_t extent : stored.shape) {
    if (extent < 0 || extent > std::numeric_limits<int>::max()) {
      return InvalidArgument(
          fmt::format("tensor {} has the shape {}", Quote(name), ShapeText(stored.shape)));
    }
    tensor.shape.push_back(static_cast<int>(extent));
  }
  tensor.values.reserve(stored.bytes.size() / SizeOf(stored.dtype));
  if (stored.dtype == DType::kF16) {
    AppendNumbers<cv::float16_t>(stored.bytes, tensor.values);
  } else if (stored.dtype == DType::kF32) {
    AppendNumbers<float>(stored.bytes, tensor.values);
  } else {
    return InvalidArgument(fmt::format("tensor {} is of type {}, expected F16 or F32", Quote(name),
                                       DTypeName(stored.dtype)));
  }
  if (!std::all_of(tensor.values.begin(), tensor.values.end(),
                   [](float value) { return std::isfinite(value); })) {
    return InvalidArgument(fmt::format("tensor {} has numbers that are not finite", Quote(name)));
  }
  return tensor;
}

StatusOr<Tensor> ToFile(const std::string& name, const LandmarkTensor& tensor) {
  Tensor stored{
      .dtype = DType::kF16, .shape = {tensor.shape.begin(), tensor.shape.end()}, .bytes = {}};
  stored.bytes.reserve(tensor.values.size() * sizeof(cv::float16_t));
  for (const float value : tensor.values) {
    const cv::float16_t half(value);
    if (!std::isfinite(static_cast<float>(half))) {
      return InvalidArgument(
          fmt::format("tensor {} has a number that 16 bits do not hold", Quote(name)));
    }
    char bytes[sizeof(half)];
    std::memcpy(bytes, &half, sizeof(half));
    stored.bytes.append(bytes, sizeof(bytes));
  }
  if (stored.element_count() != static_cast<int64_t>(tensor.values.size())) {
    return InvalidArgument(fmt::format("tensor {} has {} numbers and the shape {}", Quote(name),
                                       tensor.values.size(), ShapeText(stored.shape)));
  }
  return stored;
}

StatusOr<LandmarkWeights> ParseWeights(const std::string& bytes) {
  FACEGATE_ASSIGN_OR_RETURN(const Safetensors file, ParseSafetensors(bytes));
  const auto kind = file.metadata.find(kKind);
  if (kind == file.metadata.end() || kind->second != kKindValue) {
    return InvalidArgument("it holds no landmark network (facegate-train fit-landmarks makes one)");
  }
  LandmarkWeights weights;
  for (const auto& [name, stored] : file.tensors) {
    FACEGATE_ASSIGN_OR_RETURN(LandmarkTensor tensor, FromFile(name, stored));
    weights.tensors.emplace_hint(weights.tensors.end(), name, std::move(tensor));
  }
  weights.digest = ModelDigest(kKindValue, file.tensors).substr(0, kDigestDigits);
  return weights;
}

}  // namespace

StatusOr<LandmarkWeights> ReadLandmarkWeights(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxFileBytes));
  return ParseLandmarkWeights(bytes, path);
}

StatusOr<LandmarkWeights> ParseLandmarkWeights(const std::string& bytes, const std::string& name) {
  StatusOr<LandmarkWeights> weights = ParseWeights(bytes);
  if (!weights.ok()) return Annotate(weights.status(), name);
  return weights;
}

Status WriteLandmarkWeights(const std::string& path, const LandmarkWeights& weights,
                            const LandmarkCard& card) {
  Safetensors file{.tensors = {}, .metadata = card};
  file.metadata[kKind] = kKindValue;
  for (const auto& [name, tensor] : weights.tensors) {
    FACEGATE_ASSIGN_OR_RETURN(Tensor stored, ToFile(name, tensor));
    file.tensors.emplace(name, std::move(stored));
  }
  file.metadata[kDigest] = ModelDigest(kKindValue, file.tensors);
  return WriteFileAtomically(path, SerializeSafetensors(file));
}

StatusOr<LandmarkWeights> RoundedAsInFile(const LandmarkWeights& weights) {
  LandmarkWeights rounded{.tensors = {}, .digest = weights.digest};
  for (const auto& [name, tensor] : weights.tensors) {
    FACEGATE_ASSIGN_OR_RETURN(const Tensor stored, ToFile(name, tensor));
    FACEGATE_ASSIGN_OR_RETURN(LandmarkTensor back, FromFile(name, stored));
    rounded.tensors.emplace(name, std::move(back));
  }
  return rounded;
}

}  // namespace facegate
