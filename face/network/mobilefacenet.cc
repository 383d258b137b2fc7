#include "face/network/mobilefacenet.h"

#include <string>
#include <utility>

#include "face/network/mobilefacenet_names.h"
#include "face/network/usual_layers.h"

namespace facegate::network {
namespace {

LayerKind ActivationOf(MobileFaceNetActivation activation, int64_t channels) {
  switch (activation) {
    case MobileFaceNetActivation::kPRelu:
      return PRelu{channels};
    case MobileFaceNetActivation::kOneSlope:
      return PRelu{1};
    case MobileFaceNetActivation::kRelu6:
      return Clip{.low = 0.0, .high = 6.0};
    case MobileFaceNetActivation::kRelu:
      break;
  }
  return Relu{};
}

// Puts the layers into a chain of that name; an empty name leaves them as they are.
std::vector<Layer> Within(const std::string& name, std::vector<Layer> layers) {
  if (name.empty()) return layers;
  return {{name, Chain{std::move(layers)}}};
}

// The kernel is as large as the picture that is left.
LayerKind GlobalDepthwise(const MobileFaceNetShape& shape) {
  const auto& [height, width] = shape.last_kernel;
  if (height == width) {
    return Convolution{
        {.in = shape.last, .out = shape.last, .kernel = height, .groups = shape.last}};
  }
  OblongConvolution oblong{
      .in = shape.last, .out = shape.last, .groups = shape.last, .window = {}, .bias = false};
  oblong.window.kernel = shape.last_kernel;
  return oblong;
}

struct UnitShape {
  int64_t in = 0;  // channels
  int64_t out = 0;
  int64_t expansion = 0;  // channels in between
  int64_t stride = 1;     // 1: the input is added to the output
};

class Writer {
 public:
  explicit Writer(const MobileFaceNetShape& shape) : shape_(shape), names_(NamesOf(shape.naming)) {}

  Chain Block(LayerKind convolution, int64_t channels, bool activate = true) const {
    std::vector<Layer> layers = {{names_.conv, std::move(convolution)},
                                 {names_.norm, BatchNorm{channels}}};
    if (activate) layers.push_back({names_.prelu, ActivationOf(shape_.activation, channels)});
    return {Within(names_.inner, std::move(layers))};
  }

  // The trunk halves the picture four times.
  std::vector<Layer> Trunk() const {
    const auto& names = names_.trunk;
    const int64_t stem = shape_.stem;
    std::vector<Layer> layers = {{names[0], Block(Conv3x3(shape_.input.channels, stem, 2), stem)}};
    if (shape_.first_repeats > 0) {
      layers.push_back({names[1], Repeat(shape_.first_repeats, stem, shape_.first_expansion)});
    } else {
      Convolution second = Conv3x3(stem, stem);
      second.shape.groups = shape_.first_groups;
      layers.push_back({names[1], Block(second, stem)});
    }
    int64_t in = stem;
    for (const auto& [width, down_expansion, repeats, expansion] : shape_.stages) {
      const UnitShape down{.in = in, .out = width, .expansion = down_expansion, .stride = 2};
      layers.push_back({names[layers.size()], Unit(down)});
      layers.push_back({names[layers.size()], Repeat(repeats, width, expansion)});
      in = width;
    }
    return layers;
  }

 private:
  // A unit is an inverted residual: 1×1 expansion, 3×3 depthwise, 1×1 projection without
  // activation.
  LayerKind Unit(const UnitShape& shape) const {
    const auto& [in, out, mid, stride] = shape;
    std::vector<Layer> layers =
        Within(names_.inner, {{names_.expand, Block(Conv1x1(in, mid), mid)},
                              {names_.depthwise, Block(DepthwiseConvolution(mid, 3, stride), mid)},
                              {names_.project, Block(Conv1x1(mid, out), out, false)}});
    if (stride != 1) return Chain{std::move(layers)};
    return Residual{.layers = std::move(layers), .shortcut = {}};
  }
  Chain Repeat(int64_t count, int64_t width, int64_t expansion) const {
    const LayerKind unit = Unit({.in = width, .out = width, .expansion = expansion});
    return {{{names_.repeats, Sequence(std::vector<LayerKind>(static_cast<size_t>(count), unit))}}};
  }

  const MobileFaceNetShape& shape_;
  const MobileFaceNetNames names_;
};

std::vector<Layer> Layers128(const MobileFaceNetShape& shape, int64_t wide) {
  std::vector<Layer> layers = Writer(shape).Trunk();
  // These are the last layers before the picture is halved, or ends.
  for (const size_t repeats : {3U, 5U, 7U}) layers[repeats].map = true;
  const std::vector<Layer> head = {{"sep", Conv1x1(wide, shape.last)},
                                   {"sep_bn", BatchNorm{shape.last}},
                                   {"prelu", ActivationOf(shape.activation, shape.last), true},
                                   {"GDC_dw", GlobalDepthwise(shape)},
                                   {"GDC_bn", BatchNorm{shape.last}},
                                   {"features", Conv1x1(shape.last, shape.outputs)},
                                   {"last_bn", BatchNorm{shape.outputs}},
                                   {"flatten", Flatten{}}};
  layers.insert(layers.end(), head.begin(), head.end());
  return layers;
}

std::vector<Layer> LayersTreB1eN(const MobileFaceNetShape& shape, int64_t wide) {
  const Writer writer(shape);
  std::vector<Layer> layers = writer.Trunk();
  const std::vector<Layer> head = {
      {"conv_6_sep", writer.Block(Conv1x1(wide, shape.last), shape.last), true},
      {"conv_6_dw", writer.Block(GlobalDepthwise(shape), shape.last, false)},
      {"conv_6_flatten", Flatten{}},
      {"linear", Linear{.in = shape.last, .out = shape.outputs}},
      {"bn", BatchNorm{shape.outputs}}};
  layers.insert(layers.end(), head.begin(), head.end());
  return layers;
}

std::vector<Layer> LayersArcFaceTorch(const MobileFaceNetShape& shape, int64_t wide) {
  const Writer writer(shape);
  const Chain head =
      Sequence({writer.Block(GlobalDepthwise(shape), shape.last, false), Flatten{},
                Linear{.in = shape.last, .out = shape.outputs}, BatchNorm{shape.outputs}});
  return {{"layers", Chain{writer.Trunk()}, true},
          {"conv_sep", writer.Block(Conv1x1(wide, shape.last), shape.last), true},
          {"features", Chain{{{"layers", head}}}}};
}

}  // namespace

Description MobileFaceNet(const MobileFaceNetShape& shape) {
  const int64_t wide = shape.stages.back().width;
  Description description{
      .name = {}, .input = shape.input, .outputs = shape.outputs, .layers = {}, .more = {}};
  switch (shape.naming) {
    case MobileFaceNetNaming::kBubbliiiing:
      description.layers = Layers128(shape, wide);
      break;
    case MobileFaceNetNaming::kArcFaceTorch:
      description.layers = LayersArcFaceTorch(shape, wide);
      break;
    case MobileFaceNetNaming::kTreB1eN:
      description.layers = LayersTreB1eN(shape, wide);
      break;
  }
  return description;
}

MobileFaceNetShape MobileFaceNet128() { return {}; }

MobileFaceNetShape MobileFaceNet512() {
  MobileFaceNetShape shape;
  shape.naming = MobileFaceNetNaming::kArcFaceTorch;
  shape.stem = 128;
  for (MobileFaceNetStage& stage : shape.stages) stage.width *= 2;
  shape.outputs = 512;
  return shape;
}

}  // namespace facegate::network
