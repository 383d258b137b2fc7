#include "face/network/description_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "face/network/output_shape.h"
#include "face/network/tensor_list.h"
#include "face/weights/quote.h"
#include "face/weights/weights.h"

namespace facegate::network {
namespace {

constexpr size_t kMaxRuns = 20'000;

// How often layers run for one picture, up to kMaxRuns + 1: a graph may call a graph many times,
// and who follows a network does it call by call.
size_t RunsOf(const std::vector<Layer>& layers);

size_t RunsOf(const Layer& layer) {
  if (const auto* const chain = std::get_if<Chain>(&layer.kind)) return 1 + RunsOf(chain->layers);
  if (const auto* const residual = std::get_if<Residual>(&layer.kind)) {
    return 1 + RunsOf(residual->layers) + RunsOf(residual->shortcut);
  }
  const auto* const graph = std::get_if<Graph>(&layer.kind);
  if (graph == nullptr) return 1;
  std::vector<size_t> runs;
  runs.reserve(graph->layers.size());
  for (const Layer& inner : graph->layers) runs.push_back(RunsOf(inner));
  size_t sum = 1;
  for (const Call& call : graph->calls) {
    const auto* const number = std::get_if<size_t>(&call.what);
    sum += number != nullptr && *number < runs.size() ? runs[*number] : 1;
    sum = std::min(sum, kMaxRuns + 1);
  }
  return sum;
}

size_t RunsOf(const std::vector<Layer>& layers) {
  size_t sum = 0;
  for (const Layer& layer : layers) sum = std::min(sum + RunsOf(layer), kMaxRuns + 1);
  return sum;
}

Status CheckTensorNames(const Description& description) {
  std::set<std::string> names;
  for (const TensorShape& tensor : TensorsOf(description)) {
    if (!names.insert(tensor.name).second) {
      return InvalidArgument(
          fmt::format("the network has two tensors of the name {}", Quote(tensor.name)));
    }
  }
  return OkStatus();
}

}  // namespace

Status CheckDescription(const Description& description) {
  if (RunsOf(description.layers) > kMaxRuns) {
    return InvalidArgument(
        fmt::format("the network's graphs make more than {} calls in all", kMaxRuns));
  }
  FACEGATE_RETURN_IF_ERROR(CheckTensorNames(description));
  const auto& [channels, height, width] = description.input;
  FACEGATE_ASSIGN_OR_RETURN(const Extents output,
                            OutputOf(Chain{description.layers}, {channels, height, width}));
  if (ElementCount(output).value_or(-1) == description.outputs) return OkStatus();
  return InvalidArgument(fmt::format("the network's layers give {} numbers, it says {}",
                                     ElementCount(output).value_or(-1), description.outputs));
}

}  // namespace facegate::network
