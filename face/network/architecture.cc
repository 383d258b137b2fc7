#include "face/network/architecture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "face/network/ghostfacenet.h"
#include "face/network/iresnet.h"
#include "face/network/irse.h"
#include "face/network/keras_networks.h"
#include "face/network/mobilefacenet.h"
#include "face/network/mobilenet.h"
#include "face/network/resnet.h"
#include "face/network/resnet_face.h"
#include "face/network/shape_map.h"
#include "face/network/tensor_list.h"
#include "face/network/vit.h"
#include "face/weights/quote.h"

namespace facegate {
namespace {

using network::AdaFaceIr;
using network::Description;
using network::EvolveIr;
using network::GhostFaceNet;
using network::GreyResNet;
using network::Input;
using network::Ir;
using network::IResNet;
using network::KerasMobileNetV2;
using network::KerasResNet50;
using network::MeanResNet50;
using network::MobileFaceNet;
using network::MobileFaceNet128;
using network::MobileFaceNet512;
using network::MobileNetV1;
using network::PlaneResNet18;
using network::PooledResNet;
using network::ResNet;
using network::ResNetFace;
using network::Vit;

struct Architecture {
  std::string_view name;
  Description (*describe)(double dropout);
};

constexpr Input kColour200{.channels = 3, .height = 200, .width = 200};

constexpr std::array kArchitectures = {
    Architecture{"mobilefacenet-128", [](double) { return MobileFaceNet(MobileFaceNet128()); }},
    Architecture{"mobilefacenet-512", [](double) { return MobileFaceNet(MobileFaceNet512()); }},
    Architecture{"iresnet-18",
                 [](double dropout) {
                   return IResNet({.units = {2, 2, 2, 2}}, dropout);
                 }},
    Architecture{"iresnet-34",
                 [](double dropout) {
                   return IResNet({.units = {3, 4, 6, 3}}, dropout);
                 }},
    Architecture{"iresnet-50",
                 [](double dropout) {
                   return IResNet({.units = {3, 4, 14, 3}}, dropout);
                 }},
    Architecture{"iresnet-100",
                 [](double dropout) {
                   return IResNet({.units = {3, 13, 30, 3}}, dropout);
                 }},
    Architecture{"iresnet-200",
                 [](double dropout) {
                   return IResNet({.units = {6, 26, 60, 6}}, dropout);
                 }},
    Architecture{"irse-18", [](double dropout) { return Ir(AdaFaceIr(18, true), dropout); }},
    Architecture{"irse-34", [](double dropout) { return Ir(AdaFaceIr(34, true), dropout); }},
    Architecture{"irse-50", [](double dropout) { return Ir(EvolveIr(50, true), dropout); }},
    Architecture{"irse-100", [](double dropout) { return Ir(EvolveIr(100, true), dropout); }},
    Architecture{"irse-152", [](double dropout) { return Ir(EvolveIr(152, true), dropout); }},
    Architecture{"ir-18", [](double dropout) { return Ir(AdaFaceIr(18, false), dropout); }},
    Architecture{"ir-34", [](double dropout) { return Ir(AdaFaceIr(34, false), dropout); }},
    Architecture{"ir-50", [](double dropout) { return Ir(EvolveIr(50, false), dropout); }},
    Architecture{"ir-100", [](double dropout) { return Ir(EvolveIr(100, false), dropout); }},
    Architecture{"ir-152", [](double dropout) { return Ir(EvolveIr(152, false), dropout); }},
    Architecture{"adaface-ir-50", [](double dropout) { return Ir(AdaFaceIr(50, false), dropout); }},
    Architecture{"adaface-ir-100",
                 [](double dropout) { return Ir(AdaFaceIr(100, false), dropout); }},
    Architecture{"adaface-ir-152",
                 [](double dropout) { return Ir(AdaFaceIr(152, false), dropout); }},
    Architecture{"adaface-ir-200",
                 [](double dropout) { return Ir(AdaFaceIr(200, false), dropout); }},
    Architecture{"resnet-face-18", [](double dropout) { return ResNetFace({}, dropout); }},
    Architecture{"resnet-face-18-se",
                 [](double dropout) { return ResNetFace({.reduction = 16}, dropout); }},
    Architecture{"resnet-face-18-rgb200",
                 [](double dropout) { return ResNetFace({.input = kColour200}, dropout); }},
    Architecture{
        "resnet-face-18-rgb200-se",
        [](double dropout) { return ResNetFace({.input = kColour200, .reduction = 16}, dropout); }},
    Architecture{"resnet-18-grey128",
                 [](double dropout) { return ResNet(GreyResNet(18), dropout); }},
    Architecture{"resnet-34-grey128",
                 [](double dropout) { return ResNet(GreyResNet(34), dropout); }},
    Architecture{"resnet-50-grey128",
                 [](double dropout) { return ResNet(GreyResNet(50), dropout); }},
    Architecture{"resnet-101-grey128",
                 [](double dropout) { return ResNet(GreyResNet(101), dropout); }},
    Architecture{"resnet-152-grey128",
                 [](double dropout) { return ResNet(GreyResNet(152), dropout); }},
    Architecture{"resnet-18-pooled",
                 [](double dropout) { return ResNet(PooledResNet(18), dropout); }},
    Architecture{"resnet-34-pooled",
                 [](double dropout) { return ResNet(PooledResNet(34), dropout); }},
    Architecture{"resnet-50-pooled",
                 [](double dropout) { return ResNet(PooledResNet(50), dropout); }},
    Architecture{"resnet-101-pooled",
                 [](double dropout) { return ResNet(PooledResNet(101), dropout); }},
    Architecture{"resnet-152-pooled",
                 [](double dropout) { return ResNet(PooledResNet(152), dropout); }},
    Architecture{"resnet-50-mean-128",
                 [](double dropout) { return ResNet(MeanResNet50(), dropout); }},
    Architecture{"resnet-18-plane-2",
                 [](double dropout) { return ResNet(PlaneResNet18(), dropout); }},
    Architecture{"mobilenetv1-512", [](double dropout) { return MobileNetV1(dropout); }},
    Architecture{"keras-resnet-50", [](double dropout) { return KerasResNet50(dropout); }},
    Architecture{"keras-mobilenetv2", [](double dropout) { return KerasMobileNetV2(dropout); }},
    Architecture{"ghostfacenet-v1-s1", [](double dropout) { return GhostFaceNet({}, dropout); }},
    Architecture{"ghostfacenet-v1-s2",
                 [](double dropout) { return GhostFaceNet({.stride = 2}, dropout); }},
    Architecture{"vit-t", [](double dropout) { return Vit({}, dropout); }},
    Architecture{"vit-s", [](double dropout) { return Vit({.channels = 512}, dropout); }},
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
