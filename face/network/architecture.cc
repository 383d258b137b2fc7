#include "face/network/architecture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include "face/network/description_check.h"
#include "face/network/ghostfacenet.h"
#include "face/network/iresnet.h"
#include "face/network/irse.h"
#include "face/network/keras_networks.h"
#include "face/network/layer_fields.h"
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
using network::GhostFaceNetShape;
using network::GreyResNet;
using network::Input;
using network::Ir;
using network::IResNet;
using network::IResNetShape;
using network::KerasMobileNetV2;
using network::KerasResNet50;
using network::MeanResNet50;
using network::MobileFaceNet;
using network::MobileFaceNet128;
using network::MobileFaceNet512;
using network::MobileFaceNetShape;
using network::MobileNetV1;
using network::PlaneResNet18;
using network::PooledResNet;
using network::ResNet;
using network::ResNetFace;
using network::ResNetFaceShape;
using network::Sides;
using network::Vit;
using network::VitShape;

// `sides`: of the input, instead of the original's; null: that. Where a network cannot have others
// it has its own.
struct Architecture {
  std::string_view name;
  Description (*describe)(double dropout, const Sides* sides);
};

template <typename Shape>
Shape Sized(Shape shape, const Sides* sides) {
  if (sides == nullptr) return shape;
  shape.input.height = sides->height;
  shape.input.width = sides->width;
  return shape;
}

MobileFaceNetShape SizedMobileFaceNet(MobileFaceNetShape shape, const Sides* sides) {
  if (sides == nullptr) return shape;
  constexpr int64_t kHalved = 16;  // four times, rounded up
  shape.last_kernel = {.height = (sides->height + kHalved - 1) / kHalved,
                       .width = (sides->width + kHalved - 1) / kHalved};
  return Sized(shape, sides);
}

constexpr Input kColour200{.channels = 3, .height = 200, .width = 200};

constexpr std::array kArchitectures = {
    Architecture{"mobilefacenet-128", [](double, const Sides* sides) { return MobileFaceNet(SizedMobileFaceNet(MobileFaceNet128(), sides)); }},
    Architecture{"mobilefacenet-512", [](double, const Sides* sides) { return MobileFaceNet(SizedMobileFaceNet(MobileFaceNet512(), sides)); }},
    Architecture{"iresnet-18",
                 [](double dropout, const Sides* sides) {
                   return IResNet(Sized(IResNetShape{.units = {2, 2, 2, 2}}, sides), dropout);
                 }},
    Architecture{"iresnet-34",
                 [](double dropout, const Sides* sides) {
                   return IResNet(Sized(IResNetShape{.units = {3, 4, 6, 3}}, sides), dropout);
                 }},
    Architecture{"iresnet-50",
                 [](double dropout, const Sides* sides) {
                   return IResNet(Sized(IResNetShape{.units = {3, 4, 14, 3}}, sides), dropout);
                 }},
    Architecture{"iresnet-100",
                 [](double dropout, const Sides* sides) {
                   return IResNet(Sized(IResNetShape{.units = {3, 13, 30, 3}}, sides), dropout);
                 }},
    Architecture{"iresnet-200",
                 [](double dropout, const Sides* sides) {
                   return IResNet(Sized(IResNetShape{.units = {6, 26, 60, 6}}, sides), dropout);
                 }},
    Architecture{"irse-18", [](double dropout, const Sides* sides) { return Ir(Sized(AdaFaceIr(18, true), sides), dropout); }},
    Architecture{"irse-34", [](double dropout, const Sides* sides) { return Ir(Sized(AdaFaceIr(34, true), sides), dropout); }},
    Architecture{"irse-50", [](double dropout, const Sides* sides) { return Ir(Sized(EvolveIr(50, true), sides), dropout); }},
    Architecture{"irse-100", [](double dropout, const Sides* sides) { return Ir(Sized(EvolveIr(100, true), sides), dropout); }},
    Architecture{"irse-152", [](double dropout, const Sides* sides) { return Ir(Sized(EvolveIr(152, true), sides), dropout); }},
    Architecture{"ir-18", [](double dropout, const Sides* sides) { return Ir(Sized(AdaFaceIr(18, false), sides), dropout); }},
    Architecture{"ir-34", [](double dropout, const Sides* sides) { return Ir(Sized(AdaFaceIr(34, false), sides), dropout); }},
    Architecture{"ir-50", [](double dropout, const Sides* sides) { return Ir(Sized(EvolveIr(50, false), sides), dropout); }},
    Architecture{"ir-100", [](double dropout, const Sides* sides) { return Ir(Sized(EvolveIr(100, false), sides), dropout); }},
    Architecture{"ir-152", [](double dropout, const Sides* sides) { return Ir(Sized(EvolveIr(152, false), sides), dropout); }},
    Architecture{"adaface-ir-50", [](double dropout, const Sides* sides) { return Ir(Sized(AdaFaceIr(50, false), sides), dropout); }},
    Architecture{"adaface-ir-100",
                 [](double dropout, const Sides* sides) { return Ir(Sized(AdaFaceIr(100, false), sides), dropout); }},
    Architecture{"adaface-ir-152",
                 [](double dropout, const Sides* sides) { return Ir(Sized(AdaFaceIr(152, false), sides), dropout); }},
    Architecture{"adaface-ir-200",
                 [](double dropout, const Sides* sides) { return Ir(Sized(AdaFaceIr(200, false), sides), dropout); }},
    Architecture{"resnet-face-18", [](double dropout, const Sides* sides) { return ResNetFace(Sized(ResNetFaceShape{}, sides), dropout); }},
    Architecture{"resnet-face-18-se",
                 [](double dropout, const Sides* sides) { return ResNetFace(Sized(ResNetFaceShape{.reduction = 16}, sides), dropout); }},
    Architecture{"resnet-face-18-rgb200",
                 [](double dropout, const Sides* sides) { return ResNetFace(Sized(ResNetFaceShape{.input = kColour200}, sides), dropout); }},
    Architecture{
        "resnet-face-18-rgb200-se",
        [](double dropout, const Sides* sides) { return ResNetFace(Sized(ResNetFaceShape{.input = kColour200, .reduction = 16}, sides), dropout); }},
    Architecture{"resnet-18-grey128",
                 [](double dropout, const Sides* sides) { return ResNet(Sized(GreyResNet(18), sides), dropout); }},
    Architecture{"resnet-34-grey128",
                 [](double dropout, const Sides* sides) { return ResNet(Sized(GreyResNet(34), sides), dropout); }},
    Architecture{"resnet-50-grey128",
                 [](double dropout, const Sides* sides) { return ResNet(Sized(GreyResNet(50), sides), dropout); }},
    Architecture{"resnet-101-grey128",
                 [](double dropout, const Sides* sides) { return ResNet(Sized(GreyResNet(101), sides), dropout); }},
    Architecture{"resnet-152-grey128",
                 [](double dropout, const Sides* sides) { return ResNet(Sized(GreyResNet(152), sides), dropout); }},
    Architecture{"resnet-18-pooled",
                 [](double dropout, const Sides* sides) { return ResNet(Sized(PooledResNet(18), sides), dropout); }},
    Architecture{"resnet-34-pooled",
                 [](double dropout, const Sides* sides) { return ResNet(Sized(PooledResNet(34), sides), dropout); }},
    Architecture{"resnet-50-pooled",
                 [](double dropout, const Sides* sides) { return ResNet(Sized(PooledResNet(50), sides), dropout); }},
    Architecture{"resnet-101-pooled",
                 [](double dropout, const Sides* sides) { return ResNet(Sized(PooledResNet(101), sides), dropout); }},
    Architecture{"resnet-152-pooled",
                 [](double dropout, const Sides* sides) { return ResNet(Sized(PooledResNet(152), sides), dropout); }},
    Architecture{"resnet-50-mean-128",
                 [](double dropout, const Sides* sides) { return ResNet(Sized(MeanResNet50(), sides), dropout); }},
    Architecture{"resnet-18-plane-2",
                 [](double dropout, const Sides* sides) { return ResNet(Sized(PlaneResNet18(), sides), dropout); }},
    Architecture{"mobilenetv1-512", [](double dropout, const Sides* /*sides*/) { return MobileNetV1(dropout); }},
    Architecture{"keras-resnet-50", [](double dropout, const Sides* /*sides*/) { return KerasResNet50(dropout); }},
    Architecture{"keras-mobilenetv2", [](double dropout, const Sides* /*sides*/) { return KerasMobileNetV2(dropout); }},
    Architecture{"ghostfacenet-v1-s1", [](double dropout, const Sides* sides) { return GhostFaceNet(Sized(GhostFaceNetShape{}, sides), dropout); }},
    Architecture{"ghostfacenet-v1-s2",
                 [](double dropout, const Sides* sides) { return GhostFaceNet(Sized(GhostFaceNetShape{.stride = 2}, sides), dropout); }},
    Architecture{"vit-t", [](double dropout, const Sides* sides) { return Vit(Sized(VitShape{}, sides), dropout); }},
    Architecture{"vit-s",
                 [](double dropout, const Sides* sides) {
                   return Vit(Sized(VitShape{.channels = 512}, sides), dropout);
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

// "WIDTHxHEIGHT"
StatusOr<Sides> SidesOf(std::string_view text) {
  const size_t x = text.find('x');
  Sides sides;
  const auto number = [](std::string_view digits, int64_t& value) {
    const auto* const last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, value);
    return error == std::errc() && end == last && value >= 1 && value <= network::kMaxSide;
  };
  if (x == std::string_view::npos || !number(text.substr(0, x), sides.width) ||
      !number(text.substr(x + 1), sides.height)) {
    return InvalidArgument(fmt::format("{} is not WIDTHxHEIGHT of 1 to {} pixels, such as 224x224",
                                       Quote(text), network::kMaxSide));
  }
  return sides;
}

// Names a network of another size than its original's, which is `usual`.
Status CheckSized(const Sides& sides, const Input& usual, Description& description) {
  const Input& input = description.input;
  if (input.height != sides.height || input.width != sides.width) {
    return InvalidArgument(fmt::format("{} takes pictures of {}x{} alone", description.name,
                                       input.width, input.height));
  }
  if (usual == input) return OkStatus();
  description.name += fmt::format("@{}x{}", sides.width, sides.height);
  return network::CheckDescription(description);
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
  const size_t at = architecture.find('@');
  const std::string_view name = architecture.substr(0, at);
  std::optional<Sides> sides;
  if (at != std::string_view::npos) {
    FACEGATE_ASSIGN_OR_RETURN(sides, SidesOf(architecture.substr(at + 1)));
  }
  const auto* const found = std::find_if(kArchitectures.begin(), kArchitectures.end(),
                                         [&](const Architecture& one) { return one.name == name; });
  if (found == kArchitectures.end()) {
    return InvalidArgument(fmt::format("unknown architecture {}, expected one of {}", Quote(name),
                                       fmt::join(ArchitectureNames(), ", ")));
  }
  Description description = found->describe(dropout, sides.has_value() ? &*sides : nullptr);
  description.name = found->name;
  if (sides.has_value()) {
    const Input usual = found->describe(dropout, nullptr).input;
    FACEGATE_RETURN_IF_ERROR(CheckSized(*sides, usual, description));
  }
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
