#include "face/network/shape_map.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "face/network/tensor_list.h"
#include "face/weights/quote.h"

namespace facegate {
namespace {

constexpr size_t kDifferencesShown = 3;

}  // namespace

ShapeMap ShapesOf(const network::Description& description) {
  ShapeMap shapes;
  for (network::TensorShape& tensor : network::TensorsOf(description)) {
    shapes.emplace(std::move(tensor.name), std::move(tensor.shape));
  }
  return shapes;
}

bool IsBatchCounter(std::string_view name) { return name.ends_with("num_batches_tracked"); }

ShapeDifference CompareShapes(const ShapeMap& expected, const TensorMap& tensors) {
  ShapeDifference difference;
  const auto add = [&](std::string text) {
    if (++difference.count <= kDifferencesShown) difference.first.push_back(std::move(text));
  };
  for (const auto& [name, shape] : expected) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) {
      if (!IsBatchCounter(name)) add(fmt::format("{} is missing", Quote(name)));
    } else if (found->second.shape != shape) {
      add(fmt::format("{} has the shape {}, expected {}", Quote(name),
                      ShapeText(found->second.shape), ShapeText(shape)));
    }
  }
  for (const auto& [name, tensor] : tensors) {
    if (!expected.contains(name)) add(fmt::format("{} is unexpected", Quote(name)));
  }
  return difference;
}

Status CheckShapes(const ShapeMap& expected, const TensorMap& tensors) {
  const ShapeDifference difference = CompareShapes(expected, tensors);
  if (difference.count == 0) return OkStatus();
  return InvalidArgument(fmt::format("{} tensors do not fit the network: {}", difference.count,
                                     fmt::join(difference.first, "; ")));
}

}  // namespace facegate
