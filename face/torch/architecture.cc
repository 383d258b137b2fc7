#include "face/torch/architecture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "face/base/catch.h"
#include "face/torch/backbone.h"
#include "face/torch/tensor_conversion.h"
#include "face/weights/quote.h"

namespace facegate {
namespace {

struct Nearest {
  std::string name;
  ShapeDifference difference;
  size_t common = 0;  // tensors that it shares, by name and shape
};

size_t CountCommon(const ShapeMap& expected, const TensorMap& tensors) {
  return static_cast<size_t>(
      std::count_if(tensors.begin(), tensors.end(), [&expected](const auto& named) {
        const auto found = expected.find(named.first);
        return found != expected.end() && found->second == named.second.shape;
      }));
}

}  // namespace

const std::vector<std::string>& ArchitectureNames() {
  static const std::vector<std::string> names = {
      "mobilefacenet-128", "mobilefacenet-512", "iresnet-18",  "iresnet-34",
      "iresnet-50",        "iresnet-100",       "iresnet-200", "irse-50"};
  return names;
}

StatusOr<int> EmbeddingSizeOf(std::string_view architecture) {
  const auto& names = ArchitectureNames();
  if (std::find(names.begin(), names.end(), architecture) == names.end()) {
    return InvalidArgument(fmt::format("unknown architecture {}, expected one of {}",
                                       Quote(architecture), fmt::join(names, ", ")));
  }
  return architecture == "mobilefacenet-128" ? 128 : 512;
}

StatusOr<int64_t> ParameterCount(std::string_view architecture) {
  FACEGATE_ASSIGN_OR_RETURN(const auto backbone, CreateBackbone(architecture));
  int64_t count = 0;
  for (const auto& parameter : backbone->parameters()) count += parameter.numel();
  return count;
}

StatusOr<std::string> DetectArchitecture(const TensorMap& tensors) {
  std::optional<Nearest> nearest;
  for (const std::string& name : ArchitectureNames()) {
    FACEGATE_ASSIGN_OR_RETURN(const auto backbone, CreateBackbone(name));
    const ShapeMap shapes = ShapesOf(*backbone);
    ShapeDifference difference = CompareShapes(shapes, tensors);
    if (difference.count == 0) return name;
    // A small network has few tensors to differ in, and would be the nearest to anything.
    const size_t common = CountCommon(shapes, tensors);
    if (!nearest.has_value() || common > nearest->common ||
        (common == nearest->common && difference.count < nearest->difference.count)) {
      nearest = Nearest{name, std::move(difference), common};
    }
  }
  return InvalidArgument(fmt::format(
      "the {} tensors are of no known architecture ({}); the nearest is {}, from which {} tensors "
      "differ: {}",
      tensors.size(), fmt::join(ArchitectureNames(), ", "), nearest->name,
      nearest->difference.count, fmt::join(nearest->difference.first, "; ")));
}

}  // namespace facegate
