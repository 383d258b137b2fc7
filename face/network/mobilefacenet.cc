#include "face/network/mobilefacenet.h"

#include <array>
#include <string>
#include <utility>

namespace facegate::network {
namespace {

// The two originals have the same layers under other names.
struct Naming {
  std::string inner;  // the chain inside each block; empty where there is none
  std::string conv, norm, prelu;
  std::string expand, depthwise, project;
  std::string repeats;
  std::array<std::string, 8> trunk;
};

Naming Naming128() {
  return {.inner = "",
          .conv = "conv",
          .norm = "bn",
          .prelu = "prelu",
          .expand = "conv",
          .depthwise = "conv_dw",
          .project = "project",
          .repeats = "model",
          .trunk = {"conv1", "conv2_dw", "conv_23", "conv_3", "conv_34", "conv_4", "conv_45",
                    "conv_5"}};
}

Naming Naming512() {
  return {.inner = "layers",
          .conv = "0",
          .norm = "1",
          .prelu = "2",
          .expand = "0",
          .depthwise = "1",
          .project = "2",
          .repeats = "layers",
          .trunk = {"0", "1", "2", "3", "4", "5", "6", "7"}};
}

// Puts the layers into a chain of that name; an empty name leaves them as they are.
std::vector<Layer> Within(const std::string& name, std::vector<Layer> layers) {
  if (name.empty()) return layers;
  return {{name, Chain{std::move(layers)}}};
}

Chain Block(const Naming& naming, const ConvShape& shape, bool activate = true) {
  std::vector<Layer> layers = {{naming.conv, Convolution{shape}},
                               {naming.norm, BatchNorm{shape.out}}};
  if (activate) layers.push_back({naming.prelu, PRelu{shape.out}});
  return {Within(naming.inner, std::move(layers))};
}

struct UnitShape {
  int64_t in = 0;  // channels
  int64_t out = 0;
  int64_t expansion = 0;  // channels in between
  int64_t stride = 1;     // 1: the input is added to the output
};

// A unit is an inverted residual: 1×1 expansion, 3×3 depthwise, 1×1 projection without activation.
LayerKind Unit(const Naming& naming, const UnitShape& shape) {
  const int64_t mid = shape.expansion;
  const ConvShape depthwise{
      .in = mid, .out = mid, .kernel = 3, .stride = shape.stride, .padding = 1, .groups = mid};
  std::vector<Layer> layers =
      Within(naming.inner, {{naming.expand, Block(naming, {.in = shape.in, .out = mid})},
                            {naming.depthwise, Block(naming, depthwise)},
                            {naming.project, Block(naming, {.in = mid, .out = shape.out}, false)}});
  if (shape.stride != 1) return Chain{std::move(layers)};
  return Residual{.layers = std::move(layers), .shortcut = {}};
}

Chain Repeat(const Naming& naming, size_t count, int64_t width, int64_t expansion) {
  const LayerKind unit = Unit(naming, {.in = width, .out = width, .expansion = expansion});
  return {{{naming.repeats, Sequence(std::vector<LayerKind>(count, unit))}}};
}

// The trunk leads from 112×112×3 to 7×7×(2·width).
std::vector<Layer> Trunk(const Naming& naming, int64_t width) {
  const auto& names = naming.trunk;
  const int64_t wide = 2 * width;
  const ConvShape first{.in = 3, .out = width, .kernel = 3, .stride = 2, .padding = 1};
  const ConvShape second{.in = width, .out = width, .kernel = 3, .padding = 1, .groups = 64};
  return {
      {names[0], Block(naming, first)},
      {names[1], Block(naming, second)},
      {names[2], Unit(naming, {.in = width, .out = width, .expansion = 128, .stride = 2})},
      {names[3], Repeat(naming, 4, width, 128)},
      {names[4], Unit(naming, {.in = width, .out = wide, .expansion = 256, .stride = 2})},
      {names[5], Repeat(naming, 6, wide, 256)},
      {names[6], Unit(naming, {.in = wide, .out = wide, .expansion = 512, .stride = 2})},
      {names[7], Repeat(naming, 2, wide, 256)},
  };
}

// The kernel is as large as the picture that is left: each channel becomes one number.
constexpr ConvShape kGlobalDepthwise{.in = 512, .out = 512, .kernel = 7, .groups = 512};

}  // namespace

Description MobileFaceNet128() {
  std::vector<Layer> layers = Trunk(Naming128(), 64);
  // These are the last layers before the picture is halved, or ends.
  for (const size_t repeats : {3U, 5U, 7U}) layers[repeats].map = true;
  const std::vector<Layer> head = {{"sep", Convolution{{.in = 128, .out = 512}}},
                                   {"sep_bn", BatchNorm{512}},
                                   {"prelu", PRelu{512}, true},
                                   {"GDC_dw", Convolution{kGlobalDepthwise}},
                                   {"GDC_bn", BatchNorm{512}},
                                   {"features", Convolution{{.in = 512, .out = 128}}},
                                   {"last_bn", BatchNorm{128}},
                                   {"flatten", Flatten{}}};
  layers.insert(layers.end(), head.begin(), head.end());
  return {.name = {}, .input = kCropInput, .outputs = 128, .layers = std::move(layers), .more = {}};
}

Description MobileFaceNet512() {
  const Naming naming = Naming512();
  const Chain head = Sequence({Block(naming, kGlobalDepthwise, false), Flatten{},
                               Linear{.in = 512, .out = 512}, BatchNorm{512}});
  return {.name = {},
          .input = kCropInput,
          .outputs = 512,
          .layers = {{"layers", Chain{Trunk(naming, 128)}, true},
                     {"conv_sep", Block(naming, {.in = 256, .out = 512}), true},
                     {"features", Chain{{{"layers", head}}}}},
          .more = {}};
}

}  // namespace facegate::network
