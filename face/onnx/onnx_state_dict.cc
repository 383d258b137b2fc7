#include "face/onnx/onnx_state_dict.h"

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "face/base/coding.h"
#include "face/network/shape_map.h"
#include "face/onnx/half_tensor.h"
#include "face/weights/quote.h"
#include "face/weights/strict_json.h"

namespace facegate {
namespace {

constexpr char kCountersKey[] = "facegate_batch_counters";
constexpr char kHalfKey[] = "facegate_float16";

std::optional<int64_t> CounterOf(const std::string& name, const Tensor& tensor) {
  if (!IsBatchCounter(name) || tensor.dtype != DType::kI64 || !tensor.shape.empty()) {
    return std::nullopt;
  }
  std::string_view bytes = tensor.bytes;
  const std::optional<uint64_t> number = TakeLittleEndian<uint64_t>(bytes);
  return number ? std::optional<int64_t>(static_cast<int64_t>(*number)) : std::nullopt;
}

Status Broken(std::string_view key, std::string_view what) {
  return InvalidArgument(fmt::format("{} in the metadata {}", key, what));
}

// The JSON of a key of the metadata, which is taken out; null where there is none.
StatusOr<nlohmann::json> TakeJson(const char* key, std::map<std::string, std::string>& metadata) {
  const auto node = metadata.extract(key);
  if (node.empty()) return nlohmann::json();
  if (Status strict = CheckStrictJson(node.mapped(), 1); !strict.ok()) {
    return Broken(key, fmt::format("is broken: {}", MessageOf(strict)));
  }
  return nlohmann::json::parse(node.mapped());
}

Status AddCounters(const nlohmann::json& counters, TensorMap& tensors) {
  if (counters.is_null()) return OkStatus();
  if (!counters.is_object()) return Broken(kCountersKey, "is no JSON object");
  for (const auto& [name, value] : counters.items()) {
    if (!value.is_number_integer() || !IsBatchCounter(name)) {
      return Broken(kCountersKey, fmt::format("has {}, which is no counter", Quote(name)));
    }
    Tensor counter{.dtype = DType::kI64, .shape = {}, .bytes = {}};
    AppendLittleEndian(counter.bytes, static_cast<uint64_t>(value.get<int64_t>()));
    if (!tensors.emplace(name, std::move(counter)).second) {
      return Broken(kCountersKey, fmt::format("has {}, which is a tensor, too", Quote(name)));
    }
  }
  return OkStatus();
}

Status NarrowHalves(const nlohmann::json& names, TensorMap& tensors) {
  if (names.is_null()) return OkStatus();
  if (!names.is_array()) return Broken(kHalfKey, "is no JSON array");
  for (const nlohmann::json& name : names) {
    const auto found = name.is_string() ? tensors.find(name.get<std::string>()) : tensors.end();
    if (found == tensors.end() || found->second.dtype != DType::kF32) {
      return Broken(kHalfKey, fmt::format("has {}, which is no tensor of F32", Quote(name.dump())));
    }
    std::optional<Tensor> half = NarrowToHalf(found->second);
    if (!half) {
      return Broken(kHalfKey, fmt::format("has {}, whose numbers do not fit 16 bits: the model was "
                                          "changed since it was written",
                                          Quote(name.dump())));
    }
    found->second = *std::move(half);
  }
  return OkStatus();
}

// Numbers for each channel of a map (slopes of a PReLU, factors, summands) are C·1·1 there.
void FlattenChannels(const std::vector<OnnxNode>& nodes, TensorMap& tensors) {
  std::map<std::string_view, std::string_view> cast_from;
  for (const OnnxNode& node : nodes) {
    if (node.op == "Cast" && !node.inputs.empty() && !node.outputs.empty()) {
      cast_from.emplace(node.outputs.front(), node.inputs.front());
    }
  }
  for (const OnnxNode& node : nodes) {
    const bool by_channel = node.op == "PRelu" || node.op == "Mul" || node.op == "Add";
    if (!by_channel || node.inputs.size() != 2) continue;
    std::string_view name = node.inputs[1];
    if (const auto cast = cast_from.find(name); cast != cast_from.end()) name = cast->second;
    const auto slope = tensors.find(name);
    if (slope == tensors.end()) continue;
    std::vector<int64_t>& shape = slope->second.shape;
    if (shape.size() == 3 && shape[1] == 1 && shape[2] == 1) shape.resize(1);
  }
}

}  // namespace

void FitTensors(bool keep_half, TensorMap& tensors, std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json counters = nlohmann::ordered_json::object();
  nlohmann::ordered_json halves = nlohmann::ordered_json::array();
  for (auto it = tensors.begin(); it != tensors.end();) {
    const std::optional<int64_t> counter = CounterOf(it->first, it->second);
    if (counter) counters[it->first] = *counter;
    if (!keep_half && it->second.dtype == DType::kF16) {
      halves.push_back(it->first);
      it->second = WidenHalf(it->second);
    }
    it = counter ? tensors.erase(it) : std::next(it);
  }
  if (!counters.empty()) metadata[kCountersKey] = counters.dump();
  if (!halves.empty()) metadata[kHalfKey] = halves.dump();
}

StatusOr<Safetensors> TakeStateDict(OnnxModel model) {
  Safetensors file{.tensors = std::move(model.initializers), .metadata = std::move(model.metadata)};
  std::erase_if(file.tensors,
                [](const auto& named) { return named.first.starts_with(kGraphPrefix); });
  FlattenChannels(model.nodes, file.tensors);
  FACEGATE_ASSIGN_OR_RETURN(const nlohmann::json counters, TakeJson(kCountersKey, file.metadata));
  FACEGATE_RETURN_IF_ERROR(AddCounters(counters, file.tensors));
  FACEGATE_ASSIGN_OR_RETURN(const nlohmann::json halves, TakeJson(kHalfKey, file.metadata));
  FACEGATE_RETURN_IF_ERROR(NarrowHalves(halves, file.tensors));
  return file;
}

}  // namespace facegate
