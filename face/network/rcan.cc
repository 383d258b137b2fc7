#include "face/network/rcan.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace facegate::network {
namespace {

constexpr int64_t kColours = 3;
// No network that anybody trained has more.
constexpr int64_t kMostGroups = 64;
constexpr int64_t kMostBlocks = 128;
constexpr int64_t kMostScale = 8;

Convolution Conv(int64_t in, int64_t out, int64_t kernel) {
  return {.shape = {.in = in, .out = out, .kernel = kernel, .padding = kernel / 2}, .bias = true};
}

// The input times a gate for each channel, which comes from the channels' means.
Graph Attention(const RcanShape& shape) {
  const int64_t squeezed = shape.features / shape.reduction;
  Graph graph;
  graph.layers = {{"avg_pool", GlobalAverage{}},
                  {"conv_du", Sequence({Conv(shape.features, squeezed, 1), Relu{},
                                        Conv(squeezed, shape.features, 1), Sigmoid{}})}};
  graph.calls = {{size_t{0}, {0}}, {size_t{1}, {1}}, {Join::kMultiply, {0, 2}}};
  return graph;
}

Residual Within(Chain body) {
  Residual residual;
  residual.layers.push_back({"body", std::move(body)});
  return residual;
}

Residual Block(const RcanShape& shape) {
  const Convolution conv = Conv(shape.features, shape.features, 3);
  return Within(Sequence({conv, Relu{}, conv, Attention(shape)}));
}

Residual Group(const RcanShape& shape) {
  std::vector<LayerKind> layers(static_cast<size_t>(shape.blocks), Block(shape));
  layers.emplace_back(Conv(shape.features, shape.features, 3));
  return Within(Sequence(std::move(layers)));
}

Residual Body(const RcanShape& shape) {
  std::vector<LayerKind> layers(static_cast<size_t>(shape.groups), Group(shape));
  layers.emplace_back(Conv(shape.features, shape.features, 3));
  Residual body;
  body.layers = Sequence(std::move(layers)).layers;
  return body;
}

// One step makes the picture three times as large, or each one twice.
Chain Enlargement(const RcanShape& shape) {
  std::vector<LayerKind> layers;
  const int64_t factor = shape.scale == 3 ? 3 : 2;
  for (int64_t scale = 1; scale < shape.scale; scale *= factor) {
    layers.emplace_back(Conv(shape.features, factor * factor * shape.features, 3));
    layers.emplace_back(PixelShuffle{.factor = factor});
  }
  return Sequence(std::move(layers));
}

void Replace(std::string_view from, std::string_view to, std::string& text) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// The steps of an enlargement; 0 where they are none that is known.
int64_t ScaleOf(const TensorShapes& shapes, std::string_view steps, int64_t features) {
  int64_t scale = 1;
  for (int64_t step = 0; scale <= kMostScale; step += 2) {
    const std::string name = fmt::format("{}.{}.weight", steps, step);
    if (!shapes.Has(name)) break;
    const int64_t places = PlacesOf(shapes.Extent(name, 0), features);
    if (places == 9 && scale == 1) return shapes.Has(fmt::format("{}.2.weight", steps)) ? 0 : 3;
    if (places != 4) return 0;
    scale *= 2;
  }
  return scale >= 2 && scale <= kMostScale ? scale : 0;
}

}  // namespace

Description Rcan(const RcanShape& shape) {
  const auto& [height, width] = shape.input;
  Description description;
  description.name =
      fmt::format("rcan-{}x{}-{}-x{}", shape.groups, shape.blocks, shape.features, shape.scale);
  description.input = {.channels = kColours, .height = height, .width = width};
  description.outputs = kColours * height * width * shape.scale * shape.scale;
  const Convolution mean = Conv(kColours, kColours, 1);
  auto& layers = description.layers;
  if (shape.means) layers.push_back({"sub_mean", mean});
  layers.push_back({"head", Sequence({Conv(kColours, shape.features, 3)})});
  layers.push_back({"body", Body(shape)});
  layers.push_back({"tail", Sequence({Enlargement(shape), Conv(shape.features, kColours, 3)})});
  if (shape.means) layers.push_back({"add_mean", mean});
  return description;
}

std::string_view RcanTelltale(RcanNaming naming) {
  return naming == RcanNaming::kOriginal ? "body.0.body.0.body.3.conv_du.0.weight"
                                         : "rgs.0.module.0.module.3.module.1.weight";
}

std::string RcanTensorName(std::string_view tensor, const RcanShape& shape, RcanNaming naming) {
  std::string name(tensor);
  if (naming == RcanNaming::kOriginal) return name;
  const std::string last = fmt::format("body.{}.", shape.groups);
  const std::pair<std::string_view, std::string_view> parts[] = {
      {"head.0.", "sf."}, {last, "conv1."}, {"tail.0.", "upscale."}, {"tail.1.", "conv2."}};
  for (const auto& [begin, other] : parts) {
    if (name.starts_with(begin)) return name.replace(0, begin.size(), other);
  }
  if (name.starts_with("body.")) name.replace(0, 4, "rgs");
  Replace(".body.", ".module.", name);
  Replace(".conv_du.0.", ".module.1.", name);
  Replace(".conv_du.2.", ".module.3.", name);
  return name;
}

std::optional<RcanShape> FindRcan(const TensorShapes& shapes, RcanNaming naming) {
  const bool original = naming == RcanNaming::kOriginal;
  const std::string_view groups = original ? "body" : "rgs";
  const std::string_view inner = original ? "body" : "module";
  const int64_t squeezed = shapes.Extent(RcanTelltale(naming), 0);
  RcanShape shape;
  shape.features = shapes.Extent(original ? "head.0.weight" : "sf.weight", 0);
  shape.groups =
      shapes.Count(fmt::format("{}.", groups), fmt::format(".{0}.0.{0}.0.weight", inner));
  shape.blocks =
      shapes.Count(fmt::format("{}.0.{}.", groups, inner), fmt::format(".{}.0.weight", inner));
  shape.scale = ScaleOf(shapes, original ? "tail.0" : "upscale", shape.features);
  shape.means = original && shapes.Has("sub_mean.weight");
  if (shape.features < 1 || squeezed < 1 || squeezed > shape.features || shape.groups < 1 ||
      shape.groups > kMostGroups || shape.blocks < 1 || shape.blocks > kMostBlocks ||
      shape.scale == 0) {
    return std::nullopt;
  }
  shape.reduction = shape.features / squeezed;
  return shape;
}

}  // namespace facegate::network
