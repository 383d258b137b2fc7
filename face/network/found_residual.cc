// Recognises the families of residual networks by their tensors.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "face/network/iresnet.h"
#include "face/network/irse.h"
#include "face/network/resnet.h"
#include "face/network/resnet_face.h"
#include "face/network/tensor_shapes.h"

namespace facegate::network {
namespace {

constexpr size_t kStages = 4;

// "layer3.0.conv1.weight" and the like.
std::string InStage(size_t stage, std::string_view rest) {
  return fmt::format("layer{}.0.{}", stage + 1, rest);
}

std::array<int64_t, kStages> UnitsOf(const TensorShapes& shapes) {
  std::array<int64_t, kStages> units{};
  for (size_t i = 0; i < kStages; ++i) {
    units[i] = shapes.Count(fmt::format("layer{}.", i + 1), ".conv1.weight");
  }
  return units;
}

// The channels that a tensor of the first unit of each stage has in that dimension.
std::array<int64_t, kStages> WidthsOf(const TensorShapes& shapes, std::string_view tensor) {
  std::array<int64_t, kStages> widths{};
  for (size_t i = 0; i < kStages; ++i) widths[i] = shapes.Extent(InStage(i, tensor), 0);
  return widths;
}

bool AllPositive(const std::array<int64_t, kStages>& numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](int64_t one) { return one > 0; });
}

FoundNetwork Named(std::string_view family, const std::array<int64_t, kStages>& units,
                   Description network, std::vector<std::string> remarks) {
  network.name = fmt::format("{} of {} units", family, fmt::join(units, ", "));
  return {.network = std::move(network), .remarks = std::move(remarks)};
}

// The reduction of a gate from `whole` channels to `part`; nothing where it is none.
std::optional<int64_t> ReductionOf(int64_t whole, int64_t part) {
  if (part < 1 || whole % part != 0) return std::nullopt;
  return whole / part;
}

// How a ResNet's body ends, by its tensors.
void FindHead(const TensorShapes& shapes, ResNetShape& shape, std::string& weight) {
  if (shapes.Has("extract_layer.0.weight")) {
    shape.head = ResNetHead::kExtractLayer;
    weight = "extract_layer.0";
  } else if (shapes.Has("fc.2.weight")) {
    shape.head = ResNetHead::kNormedLinear;
    weight = "fc.2";
  } else {
    shape.linear = shapes.Has("fc5.weight") ? "fc5" : "fc";
    weight = shape.linear;
  }
  shape.outputs = shapes.Extent(weight + ".weight", 0);
  shape.bias = shapes.Has(weight + ".bias");
}

}  // namespace

std::optional<FoundNetwork> FindIResNet(const TensorShapes& shapes, const DescribeHints& hints) {
  if (!shapes.Has("features.running_mean")) return std::nullopt;
  std::vector<std::string> remarks;
  IResNetShape shape;
  shape.stem = shapes.Extent("conv1.weight", 0);
  shape.units = UnitsOf(shapes);
  shape.widths = WidthsOf(shapes, "conv1.weight");
  shape.outputs = shapes.Extent("fc.weight", 0);
  const int64_t places = PlacesOf(shapes.Extent("fc.weight", 1), shape.widths.back());
  const std::optional<Input> input =
      InputOfPlaces(shapes.Extent("conv1.weight", 1), places, kStages, hints, remarks);
  if (!input.has_value() || !AllPositive(shape.units)) return std::nullopt;
  shape.input = *input;
  return Named("iresnet", shape.units, IResNet(shape, 0.0), std::move(remarks));
}

std::optional<FoundNetwork> FindIr(const TensorShapes& shapes, const DescribeHints& hints) {
  std::vector<std::string> remarks;
  IrShape shape;
  shape.stem = shapes.Extent("input_layer.0.weight", 0);
  if (shapes.Extent("body.0.res_layer.1.weight", 2) == 1) {
    shape.unit = IrUnit::kBottleneck;
  } else if (shapes.Has("body.0.res_layer.2.running_mean")) {
    shape.unit = IrUnit::kNormed;
  }
  const std::string last = shape.unit == IrUnit::kPlain    ? "res_layer.4.running_mean"
                           : shape.unit == IrUnit::kNormed ? "res_layer.5.running_mean"
                                                           : "res_layer.8.running_mean";
  const int64_t units = shapes.Count("body.", "." + last);
  for (int64_t i = 0; i < units; ++i) {
    // A unit that changes the channels begins a stage.
    if (i == 0 || shapes.Has(fmt::format("body.{}.shortcut_layer.0.weight", i))) {
      shape.stages.push_back({.width = shapes.Extent(fmt::format("body.{}.{}", i, last), 0)});
    }
    ++shape.stages.back().units;
  }
  constexpr size_t kMostStages = 9;  // they halve the picture
  if (shape.stages.empty() || shape.stages.size() > kMostStages) return std::nullopt;
  const std::string gate = shape.unit == IrUnit::kPlain ? "5" : "se_block";
  const std::string squeeze = fmt::format("body.0.res_layer.{}.fc1.weight", gate);
  if (shapes.Has(squeeze)) {
    const auto reduction = ReductionOf(shapes.Extent(squeeze, 1), shapes.Extent(squeeze, 0));
    if (!reduction.has_value()) return std::nullopt;
    shape.reduction = *reduction;
  }
  shape.affine_output = shapes.Has("output_layer.4.weight");
  shape.outputs = shapes.Extent("output_layer.3.weight", 0);
  const int64_t places =
      PlacesOf(shapes.Extent("output_layer.3.weight", 1), shape.stages.back().width);
  const std::optional<Input> input =
      InputOfPlaces(shapes.Extent("input_layer.0.weight", 1), places,
                    static_cast<int>(shape.stages.size()), hints, remarks);
  if (!input.has_value()) return std::nullopt;
  shape.input = *input;
  FoundNetwork found{.network = Ir(shape, 0.0), .remarks = std::move(remarks)};
  std::vector<int64_t> counts;
  for (const IrStage& stage : shape.stages) counts.push_back(stage.units);
  found.network.name =
      fmt::format("{} of {} units", shape.reduction > 0 ? "irse" : "ir", fmt::join(counts, ", "));
  return found;
}

std::optional<FoundNetwork> FindResNetFace(const TensorShapes& shapes, const DescribeHints& hints) {
  std::vector<std::string> remarks;
  ResNetFaceShape shape;
  shape.stem = shapes.Extent("conv1.weight", 0);
  shape.units = UnitsOf(shapes);
  shape.widths = WidthsOf(shapes, "conv2.weight");
  constexpr std::string_view kSqueeze = "layer1.0.se.fc.0.weight";
  if (shapes.Has(kSqueeze)) {
    const auto reduction = ReductionOf(shapes.Extent(kSqueeze, 1), shapes.Extent(kSqueeze, 0));
    if (!reduction.has_value()) return std::nullopt;
    shape.reduction = *reduction;
  }
  shape.outputs = shapes.Extent("fc5.weight", 0);
  const int64_t places = PlacesOf(shapes.Extent("fc5.weight", 1), shape.widths.back());
  const std::optional<Input> input =
      InputOfPlaces(shapes.Extent("conv1.weight", 1), places, kStages, hints, remarks);
  if (!input.has_value() || !AllPositive(shape.units)) return std::nullopt;
  shape.input = *input;
  return Named("resnet-face", shape.units, ResNetFace(shape, 0.0), std::move(remarks));
}

std::optional<FoundNetwork> FindResNet(const TensorShapes& outer, const DescribeHints& hints) {
  ResNetShape shape;
  std::string linear;
  FindHead(outer, shape, linear);
  // The trunk's names: of the convolution and of each stage.
  const bool numbered = shape.head == ResNetHead::kExtractLayer;
  const std::string stem = numbered ? "resnet_layer.0.weight" : "conv1.weight";
  const auto stage = [&](size_t i) {
    return numbered ? fmt::format("resnet_layer.{}", i + 4) : fmt::format("layer{}", i + 1);
  };
  shape.bottleneck = outer.Has(stage(0) + ".0.conv3.weight");
  for (size_t i = 0; i < kStages; ++i) {
    shape.units[i] = outer.Count(stage(i) + ".", ".conv1.weight");
    shape.widths[i] = outer.Extent(stage(i) + ".0.conv1.weight", 0);
  }
  shape.stem = outer.Extent(stem, 0);
  shape.stem_kernel = outer.Extent(stem, 2);
  shape.pooled_stem = shape.stem_kernel == 7 || shape.head == ResNetHead::kNormedLinear;
  const bool projected = outer.Has(stage(0) + ".0.downsample.0.weight");
  // Where channels change there is a projection whatever the stride: a pooled stem of 7×7, as in
  // torchvision, goes with a stride of 1.
  shape.first_stride = projected && shape.stem_kernel != 7 ? 2 : 1;
  const int64_t last = (shape.bottleneck ? 4 : 1) * shape.widths.back();
  const int64_t places = PlacesOf(outer.Extent(linear + ".weight", 1), last);
  shape.average = places == 1;
  if (!AllPositive(shape.units) || places < 1) return std::nullopt;
  std::vector<std::string> remarks;
  const int64_t first_width = (shape.bottleneck ? 4 : 1) * shape.widths.front();
  if (projected && shape.stem != first_width) {
    remarks.push_back(
        fmt::format("its first stage is taken {}; its tensors leave that open",
                    shape.first_stride == 2 ? "to halve the map" : "to leave the map's size"));
  }
  const int halved = 3 + (shape.first_stride == 2 ? 1 : 0) + (shape.pooled_stem ? 1 : 0) +
                     (shape.stem_kernel == 7 ? 1 : 0);
  if (shape.average && !hints.input.has_value()) {
    shape.input.channels = outer.Extent(stem, 1);
    remarks.emplace_back(
        "it averages its last map and takes pictures of any size; 112x112 pixels are taken, "
        "--input decides otherwise");
  } else {
    const std::optional<Input> input =
        InputOfPlaces(outer.Extent(stem, 1), places, halved, hints, remarks);
    if (!input.has_value()) return std::nullopt;
    shape.input = *input;
  }
  return Named("resnet", shape.units, ResNet(shape, 0.0), std::move(remarks));
}

}  // namespace facegate::network
