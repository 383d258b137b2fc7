#include "face/network/architecture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "face/network/iresnet.h"
#include "face/network/irse.h"
#include "face/network/mobilefacenet.h"
#include "face/network/shape_map.h"
#include "face/network/tensor_list.h"
#include "face/weights/quote.h"

namespace facegate {
namespace {

using network::Description;
using network::IResNet;
using network::IrSe;
using network::MobileFaceNet128;
using network::MobileFaceNet512;

struct Architecture {
  std::string_view name;
  Description (*describe)(double dropout);
};

constexpr std::array kArchitectures = {
    Architecture{"mobilefacenet-128", [](double) { return MobileFaceNet128(); }},
    Architecture{"mobilefacenet-512", [](double) { return MobileFaceNet512(); }},
    Architecture{"iresnet-18",
                 [](double dropout) {
                   return IResNet({2, 2, 2, 2}, dropout);
                 }},
    Architecture{"iresnet-34",
                 [](double dropout) {
                   return IResNet({3, 4, 6, 3}, dropout);
                 }},
    Architecture{"iresnet-50",
                 [](double dropout) {
                   return IResNet({3, 4, 14, 3}, dropout);
                 }},
    Architecture{"iresnet-100",
                 [](double dropout) {
                   return IResNet({3, 13, 30, 3}, dropout);
                 }},
    Architecture{"iresnet-200",
                 [](double dropout) {
                   return IResNet({6, 26, 60, 6}, dropout);
                 }},
    Architecture{"irse-50",
                 [](double dropout) {
                   return IrSe({3, 4, 14, 3}, dropout);
                 }},
};

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
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    all.reserve(std::size(kArchitectures));
    for (const Architecture& one : kArchitectures) all.emplace_back(one.name);
    return all;
  }();
  return names;
}

StatusOr<Description> DescribeArchitecture(std::string_view architecture, double dropout) {
  if (!(dropout >= 0.0 && dropout <= 1.0)) {
    return InvalidArgument(fmt::format("dropout is {}, expected 0 to 1", dropout));
  }
  const auto* const found =
      std::find_if(kArchitectures.begin(), kArchitectures.end(),
                   [&](const Architecture& one) { return one.name == architecture; });
  if (found == kArchitectures.end()) {
    return InvalidArgument(fmt::format("unknown architecture {}, expected one of {}",
                                       Quote(architecture), fmt::join(ArchitectureNames(), ", ")));
  }
  Description description = found->describe(dropout);
  description.name = found->name;
  return description;
}

StatusOr<int> EmbeddingSizeOf(std::string_view architecture) {
  FACEGATE_ASSIGN_OR_RETURN(const Description description, DescribeArchitecture(architecture));
  return static_cast<int>(description.outputs);
}

StatusOr<int64_t> ParameterCount(std::string_view architecture) {
  FACEGATE_ASSIGN_OR_RETURN(const Description description, DescribeArchitecture(architecture));
  return network::CountParameters(network::TensorsOf(description));
}

StatusOr<std::string> DetectArchitecture(const TensorMap& tensors) {
  std::optional<Nearest> nearest;
  for (const std::string& name : ArchitectureNames()) {
    FACEGATE_ASSIGN_OR_RETURN(const Description description, DescribeArchitecture(name));
    const ShapeMap shapes = ShapesOf(description);
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
