// Recognises MobileFaceNets by their tensors.
#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "face/network/mobilefacenet_names.h"
#include "face/network/tensor_shapes.h"

namespace facegate::network {
namespace {

// Keys of tensors, and the beginnings of keys, as they are made of the names of layers.
struct Keys {
  explicit Keys(MobileFaceNetNaming naming) : names(NamesOf(naming)) {
    for (size_t i = 0; i < trunk.size(); ++i) {
      trunk[i] = names.group + (names.group.empty() ? "" : ".") + names.trunk[i] + ".";
    }
  }

  const MobileFaceNetNames names;
  std::array<std::string, 8> trunk{};
  const std::string conv = names.Inside(names.conv) + ".weight";    // of a block
  const std::string prelu = names.Inside(names.prelu) + ".weight";  // its slopes
  const std::string expand = names.Inside(names.expand) + ".";      // the first block of a unit
  const std::string repeats = names.repeats + ".";                  // a unit's number comes next
};

MobileFaceNetNaming NamingOf(const TensorShapes& shapes) {
  if (shapes.Has("conv_sep.layers.0.weight")) return MobileFaceNetNaming::kArcFaceTorch;
  return shapes.Has("sep.weight") ? MobileFaceNetNaming::kBubbliiiing
                                  : MobileFaceNetNaming::kTreB1eN;
}

MobileFaceNetActivation ActivationOf(const TensorShapes& shapes, const Keys& keys,
                                     const DescribeHints& hints,
                                     std::vector<std::string>& remarks) {
  const int64_t slopes = shapes.Extent(keys.trunk[0] + keys.prelu, 0);
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
  const Keys keys(shape.naming);
  shape.activation = ActivationOf(shapes, keys, hints, found.remarks);
  const std::string stem = keys.trunk[0] + keys.conv;
  shape.stem = shapes.Extent(stem, 0);
  const auto expansion = [&](const std::string& at) {
    return shapes.Extent(at + keys.expand + keys.conv, 0);
  };
  const auto repeats = [&](const std::string& at) {
    return shapes.Count(at + keys.repeats, "." + keys.expand + keys.conv);
  };
  shape.first_repeats = repeats(keys.trunk[1]);
  shape.first_expansion = expansion(keys.trunk[1] + keys.repeats + "0.");
  if (shape.first_repeats == 0) {
    const int64_t per_group = shapes.Extent(keys.trunk[1] + keys.conv, 1);
    if (per_group < 1) return std::nullopt;
    shape.first_groups = shape.stem / per_group;
  }
  std::vector<int64_t> counts;
  for (size_t i = 0; i < shape.stages.size(); ++i) {
    const std::string& down = keys.trunk[2 + 2 * i];
    const std::string& rest = keys.trunk[3 + 2 * i];
    const std::string first = rest + keys.repeats + "0.";
    // A unit's input has as many channels as the stage.
    shape.stages[i] = {.width = shapes.Extent(first + keys.expand + keys.conv, 1),
                       .down_expansion = expansion(down),
                       .repeats = repeats(rest),
                       .expansion = expansion(first)};
    counts.push_back(shape.stages[i].repeats);
    if (shape.stages[i].width < 1 || shape.stages[i].down_expansion < 1) return std::nullopt;
  }
  shape.last = shapes.Extent(keys.names.separate, 0);
  shape.last_kernel = {.height = shapes.Extent(keys.names.global, 2),
                       .width = shapes.Extent(keys.names.global, 3)};
  shape.outputs = shapes.Extent(keys.names.embed, 0);
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
