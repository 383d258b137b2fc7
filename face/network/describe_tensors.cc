#include "face/network/describe_tensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <iterator>
#include <set>
#include <utility>

#include "face/network/description_json.h"
#include "face/network/tensor_shapes.h"

namespace facegate::network {
namespace {

struct Family {
  std::string_view name;
  std::string_view telltale;  // the name of a tensor
  std::optional<FoundNetwork> (*find)(const TensorShapes& shapes, const DescribeHints& hints);
};

// A family of several namings has several rows.
constexpr std::array kFamilies = {
    Family{"iresnet", "layer1.0.prelu.weight", FindIResNet},
    Family{"ir and irse", "input_layer.0.weight", FindIr},
    Family{"mobilefacenet", "conv1.conv.weight", FindMobileFaceNet},
    Family{"mobilefacenet", "conv_sep.layers.0.weight", FindMobileFaceNet},
    Family{"resnet-face", "layer1.0.bn0.weight", FindResNetFace},
    Family{"resnet", "layer1.0.conv2.weight", FindResNet},
    Family{"resnet", "resnet_layer.0.weight", FindResNet}};

}  // namespace

std::vector<FoundNetwork> DescribeTensors(const TensorMap& tensors, std::string_view prefix,
                                          const DescribeHints& hints) {
  const TensorShapes shapes(tensors, prefix);
  std::vector<FoundNetwork> found;
  for (const Family& family : kFamilies) {
    if (!shapes.Has(family.telltale)) continue;
    std::optional<FoundNetwork> one = family.find(shapes, hints);
    if (!one.has_value()) continue;
    // A card must be able to hold it.
    if (!DescriptionFromJson(DescriptionToJson(one->network)).ok()) continue;
    found.push_back(*std::move(one));
  }
  return found;
}

std::vector<std::string> TelltalePrefixes(const TensorMap& tensors) {
  std::set<std::string> prefixes;
  for (const auto& [name, tensor] : tensors) {
    for (const Family& family : kFamilies) {
      if (!name.ends_with(family.telltale)) continue;
      std::string prefix = name.substr(0, name.size() - family.telltale.size());
      if (prefix.empty() || prefix.ends_with('.')) prefixes.insert(std::move(prefix));
    }
  }
  return {prefixes.begin(), prefixes.end()};
}

std::string FamilyNames() {
  std::vector<std::string_view> names;
  for (const Family& family : kFamilies) {
    if (names.empty() || names.back() != family.name) names.push_back(family.name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace facegate::network
