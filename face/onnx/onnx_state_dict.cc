#include "face/onnx/onnx_state_dict.h"

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "face/base/coding.h"
#include "face/network/shape_map.h"
#include "face/weights/quote.h"
#include "face/weights/strict_json.h"

namespace facegate {
namespace {

constexpr char kCountersKey[] = "facegate_batch_counters";

std::optional<int64_t> CounterOf(const std::string& name, const Tensor& tensor) {
  if (!IsBatchCounter(name) || tensor.dtype != DType::kI64 || !tensor.shape.empty()) {
    return std::nullopt;
  }
  std::string_view bytes = tensor.bytes;
  const std::optional<uint64_t> number = TakeLittleEndian<uint64_t>(bytes);
  return number ? std::optional<int64_t>(static_cast<int64_t>(*number)) : std::nullopt;
}

Status AddCounters(const std::string& json, TensorMap& tensors) {
  const auto broken = [](std::string_view what) {
    return InvalidArgument(fmt::format("{} in the metadata {}", kCountersKey, what));
  };
  if (Status strict = CheckStrictJson(json, 1); !strict.ok()) return broken(MessageOf(strict));
  const nlohmann::json counters = nlohmann::json::parse(json);
  if (!counters.is_object()) return broken("is no JSON object");
  for (const auto& [name, value] : counters.items()) {
    if (!value.is_number_integer() || !IsBatchCounter(name)) {
      return broken(fmt::format("has {}, which is no counter", Quote(name)));
    }
    Tensor counter{.dtype = DType::kI64, .shape = {}, .bytes = {}};
    AppendLittleEndian(counter.bytes, static_cast<uint64_t>(value.get<int64_t>()));
    if (!tensors.emplace(name, std::move(counter)).second) {
      return broken(fmt::format("has {}, which is a tensor, too", Quote(name)));
    }
  }
  return OkStatus();
}

// The slopes of a PReLU of maps are C·1·1 there.
void FlattenSlopes(const std::vector<OnnxNode>& nodes, TensorMap& tensors) {
  std::map<std::string_view, std::string_view> cast_from;
  for (const OnnxNode& node : nodes) {
    if (node.op == "Cast" && !node.inputs.empty() && !node.outputs.empty()) {
      cast_from.emplace(node.outputs.front(), node.inputs.front());
    }
  }
  for (const OnnxNode& node : nodes) {
    if (node.op != "PRelu" || node.inputs.size() != 2) continue;
    std::string_view name = node.inputs[1];
    if (const auto cast = cast_from.find(name); cast != cast_from.end()) name = cast->second;
    const auto slope = tensors.find(name);
    if (slope == tensors.end()) continue;
    std::vector<int64_t>& shape = slope->second.shape;
    if (shape.size() == 3 && shape[1] == 1 && shape[2] == 1) shape.resize(1);
  }
}

}  // namespace

void MoveCounters(TensorMap& tensors, std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json counters = nlohmann::ordered_json::object();
  for (auto it = tensors.begin(); it != tensors.end();) {
    const std::optional<int64_t> counter = CounterOf(it->first, it->second);
    if (counter) counters[it->first] = *counter;
    it = counter ? tensors.erase(it) : std::next(it);
  }
  if (!counters.empty()) metadata[kCountersKey] = counters.dump();
}

StatusOr<Safetensors> TakeStateDict(OnnxModel model) {
  Safetensors file{.tensors = std::move(model.initializers), .metadata = std::move(model.metadata)};
  std::erase_if(file.tensors,
                [](const auto& named) { return named.first.starts_with(kGraphPrefix); });
  FlattenSlopes(model.nodes, file.tensors);
  if (const auto counters = file.metadata.extract(kCountersKey); !counters.empty()) {
    FACEGATE_RETURN_IF_ERROR(AddCounters(counters.mapped(), file.tensors));
  }
  return file;
}

}  // namespace facegate
