// Recognises MobileFaceNets by their tensors.
#include <fmt/format.h>

#include <utility>

#include "face/network/mobilefacenet.h"
#include "face/network/tensor_shapes.h"

namespace facegate::network {
namespace {

// The names of tensors in one of the namings.
struct Names {
  std::array<std::string, 8> trunk;  // with a dot at their end
  std::string repeats;               // a unit's number comes after it
  std::string conv;                  // of a block: its convolution's weight
  std::string prelu;                 // its slopes
  std::string expand;                // the first block of a unit
  std::string separate;              // the convolution after the trunk
  std::string global;                // the convolution over the last map
  std::string embed;                 // the layer that gives the embedding
};

Names NamesOf(MobileFaceNetNaming naming) {
  if (naming == MobileFaceNetNaming::kArcFaceTorch) {
    return {.trunk = {"layers.0.", "layers.1.", "layers.2.", "layers.3.", "layers.4.", "layers.5.",
                      "layers.6.", "layers.7."},
            .repeats = "layers.",
            .conv = "layers.0.weight",
            .prelu = "layers.2.weight",
            .expand = "layers.0.",
            .separate = "conv_sep.layers.0.weight",
            .global = "features.layers.0.layers.0.weight",
            .embed = "features.layers.2.weight"};
  }
  Names names{.trunk = {"conv1.", "conv2_dw.", "conv_23.", "conv_3.", "conv_34.", "conv_4.",
                        "conv_45.", "conv_5."},
              .repeats = "model.",
              .conv = "conv.weight",
              .prelu = "prelu.weight",
              .expand = "conv.",
              .separate = "sep.weight",
              .global = "GDC_dw.weight",
              .embed = "features.weight"};
  if (naming == MobileFaceNetNaming::kTreB1eN) {
    names.separate = "conv_6_sep.conv.weight";
    names.global = "conv_6_dw.conv.weight";
    names.embed = "linear.weight";
  }
  return names;
}

MobileFaceNetNaming NamingOf(const TensorShapes& shapes) {
  if (shapes.Has("conv_sep.layers.0.weight")) return MobileFaceNetNaming::kArcFaceTorch;
  return shapes.Has("sep.weight") ? MobileFaceNetNaming::kBubbliiiing
                                  : MobileFaceNetNaming::kTreB1eN;
}

MobileFaceNetActivation ActivationOf(const TensorShapes& shapes, const Names& names,
                                     const DescribeHints& hints,
                                     std::vector<std::string>& remarks) {
  const int64_t slopes = shapes.Extent(names.trunk[0] + names.prelu, 0);
  if (slopes > 1) return MobileFaceNetActivation::kPRelu;
  if (slopes == 1) return MobileFaceNetActivation::kOneSlope;
  if (!hints.activation.has_value()) {
    remarks.emplace_back(
        "it has no slopes of PReLUs and is taken to have ReLU6 in their places; --activation relu "
        "says otherwise");
  }
  return hints.activation == Activation::kRelu ? MobileFaceNetActivation::kRelu
                                               : MobileFaceNetActivation::kRelu6;
}

}  // namespace

std::optional<FoundNetwork> FindMobileFaceNet(const TensorShapes& shapes,
                                              const DescribeHints& hints) {
  FoundNetwork found;
  MobileFaceNetShape shape;
  shape.naming = NamingOf(shapes);
  const Names names = NamesOf(shape.naming);
  shape.activation = ActivationOf(shapes, names, hints, found.remarks);
  const std::string stem = names.trunk[0] + names.conv;
  shape.stem = shapes.Extent(stem, 0);
  const auto expansion = [&](const std::string& at) {
    return shapes.Extent(at + names.expand + names.conv, 0);
  };
  const auto repeats = [&](const std::string& at) {
    return shapes.Count(at + names.repeats, "." + names.expand + names.conv);
  };
  shape.first_repeats = repeats(names.trunk[1]);
  shape.first_expansion = expansion(names.trunk[1] + names.repeats + "0.");
  if (shape.first_repeats == 0) {
    const int64_t per_group = shapes.Extent(names.trunk[1] + names.conv, 1);
    if (per_group < 1) return std::nullopt;
    shape.first_groups = shape.stem / per_group;
  }
  std::vector<int64_t> counts;
  for (size_t i = 0; i < shape.stages.size(); ++i) {
    const std::string& down = names.trunk[2 + 2 * i];
    const std::string& rest = names.trunk[3 + 2 * i];
    const std::string first = rest + names.repeats + "0.";
    // A unit's input has as many channels as the stage.
    shape.stages[i] = {.width = shapes.Extent(first + names.expand + names.conv, 1),
                       .down_expansion = expansion(down),
                       .repeats = repeats(rest),
                       .expansion = expansion(first)};
    counts.push_back(shape.stages[i].repeats);
    if (shape.stages[i].width < 1 || shape.stages[i].down_expansion < 1) return std::nullopt;
  }
  shape.last = shapes.Extent(names.separate, 0);
  shape.last_kernel = {.height = shapes.Extent(names.global, 2),
                       .width = shapes.Extent(names.global, 3)};
  shape.outputs = shapes.Extent(names.embed, 0);
  constexpr int64_t kMostPlaces = 64;  // rows and columns; 16 pixels each
  const auto& [height, width] = shape.last_kernel;
  if (shape.first_groups < 1 || height < 1 || width < 1 || height > kMostPlaces ||
      width > kMostPlaces) {
    return std::nullopt;
  }
  shape.input = {.channels = shapes.Extent(stem, 1), .height = 16 * height, .width = 16 * width};
  if (hints.input.has_value()) {
    shape.input.height = hints.input->height;
    shape.input.width = hints.input->width;
  }
  found.network = MobileFaceNet(shape);
  found.network.name =
      fmt::format("mobilefacenet of {}, {}, {} units", counts[0], counts[1], counts[2]);
  return found;
}

}  // namespace facegate::network
