#include "face/weights/network_file.h"

#include <fmt/format.h>
#include <opencv2/core/cvdef.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "face/base/file.h"
#include "face/weights/quote.h"
#include "face/weights/safetensors.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxFileBytes = 4 << 20;
constexpr char kKind[] = "kind";
constexpr char kDigest[] = "digest";
constexpr size_t kDigestDigits = 12;

// The names of a kind: in files, and among people.
struct KindNames {
  std::string value;
  std::string network;
  std::string command;
};

KindNames NamesOf(NetworkKind kind) {
  switch (kind) {
    case NetworkKind::kLandmarks:
      return {"facegate-landmarks-1", "landmark network", "fit-landmarks"};
    case NetworkKind::kQuality:
      return {"facegate-quality-1", "quality network", "fit-quality"};
  }
  return {};
}

template <typename Number>
void AppendNumbers(const std::string& bytes, std::vector<float>& values) {
  for (size_t at = 0; at + sizeof(Number) <= bytes.size(); at += sizeof(Number)) {
    Number number;
    std::memcpy(&number, bytes.data() + at, sizeof(Number));
    values.push_back(static_cast<float>(number));
  }
}

StatusOr<NetworkTensor> FromFile(const std::string& name, const Tensor& stored) {
  NetworkTensor tensor;
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

StatusOr<Tensor> ToFile(const std::string& name, const NetworkTensor& tensor) {
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

StatusOr<NetworkWeights> ParseWeights(const std::string& bytes, const KindNames& names) {
  FACEGATE_ASSIGN_OR_RETURN(const Safetensors file, ParseSafetensors(bytes));
  const auto kind = file.metadata.find(kKind);
  if (kind == file.metadata.end() || kind->second != names.value) {
    return InvalidArgument(
        fmt::format("it holds no {} (facegate-train {} makes one)", names.network, names.command));
  }
  NetworkWeights weights;
  for (const auto& [name, stored] : file.tensors) {
    FACEGATE_ASSIGN_OR_RETURN(NetworkTensor tensor, FromFile(name, stored));
    weights.tensors.emplace_hint(weights.tensors.end(), name, std::move(tensor));
  }
  weights.digest = ModelDigest(names.value, file.tensors).substr(0, kDigestDigits);
  return weights;
}

}  // namespace

StatusOr<NetworkWeights> ReadNetworkWeights(const std::string& path, NetworkKind kind) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxFileBytes));
  return ParseNetworkWeights(bytes, path, kind);
}

StatusOr<NetworkWeights> ParseNetworkWeights(const std::string& bytes, const std::string& name,
                                             NetworkKind kind) {
  StatusOr<NetworkWeights> weights = ParseWeights(bytes, NamesOf(kind));
  if (!weights.ok()) return Annotate(weights.status(), name);
  return weights;
}

Status WriteNetworkWeights(const std::string& path, const NetworkWeights& weights, NetworkKind kind,
                           const NetworkCard& card) {
  const KindNames names = NamesOf(kind);
  Safetensors file{.tensors = {}, .metadata = card};
  file.metadata[kKind] = names.value;
  for (const auto& [name, tensor] : weights.tensors) {
    FACEGATE_ASSIGN_OR_RETURN(Tensor stored, ToFile(name, tensor));
    file.tensors.emplace(name, std::move(stored));
  }
  file.metadata[kDigest] = ModelDigest(names.value, file.tensors);
  return WriteFileAtomically(path, SerializeSafetensors(file));
}

StatusOr<NetworkWeights> RoundedAsInFile(const NetworkWeights& weights) {
  NetworkWeights rounded{.tensors = {}, .digest = weights.digest};
  for (const auto& [name, tensor] : weights.tensors) {
    FACEGATE_ASSIGN_OR_RETURN(const Tensor stored, ToFile(name, tensor));
    FACEGATE_ASSIGN_OR_RETURN(NetworkTensor back, FromFile(name, stored));
    rounded.tensors.emplace(name, std::move(back));
  }
  return rounded;
}

}  // namespace facegate
