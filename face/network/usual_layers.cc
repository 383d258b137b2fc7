#include "face/network/usual_layers.h"

#include <algorithm>
#include <utility>

#include "face/base/check.h"
#include "face/network/output_shape.h"
#include "face/weights/weights.h"

namespace facegate::network {

Convolution Conv3x3(int64_t in, int64_t out, int64_t stride) {
  return {{.in = in, .out = out, .kernel = 3, .stride = stride, .padding = 1}};
}

Convolution Conv1x1(int64_t in, int64_t out, int64_t stride) {
  return {{.in = in, .out = out, .stride = stride}};
}

Convolution DepthwiseConvolution(int64_t channels, int64_t kernel, int64_t stride) {
  return {{.in = channels,
           .out = channels,
           .kernel = kernel,
           .stride = stride,
           .padding = kernel / 2,
           .groups = channels}};
}

Window SquareWindow(int64_t kernel, int64_t stride, int64_t padding) {
  return {.kernel = {kernel, kernel},
          .stride = {stride, stride},
          .dilation = {},
          .padding = {padding, padding, padding, padding}};
}

int64_t NumbersAfter(const Input& input, const std::vector<Layer>& layers) {
  const StatusOr<Extents> output =
      OutputOf(Chain{layers}, {input.channels, input.height, input.width});
  return output.ok() ? ElementCount(*output).value_or(0) : 0;
}

std::optional<Sides> SidesOf(int64_t places) {
  constexpr int64_t kMostPlaces = int64_t{1} << 20;
  if (places < 1 || places > kMostPlaces) return std::nullopt;
  Sides sides{.height = places, .width = 1};
  for (int64_t width = 1; width * width <= places; ++width) {
    if (places % width == 0) sides = {.height = places / width, .width = width};
  }
  return sides;
}

size_t GraphWriter::Add(std::string name, LayerKind kind, size_t input) {
  graph_.layers.push_back({std::move(name), std::move(kind)});
  graph_.calls.push_back({graph_.layers.size() - 1, {input}});
  return graph_.calls.size();
}

size_t GraphWriter::Again(std::string_view name, size_t input) {
  const auto layer = std::find_if(graph_.layers.begin(), graph_.layers.end(),
                                  [name](const Layer& one) { return one.name == name; });
  FACEGATE_CHECK(layer != graph_.layers.end());
  graph_.calls.push_back({static_cast<size_t>(layer - graph_.layers.begin()), {input}});
  return graph_.calls.size();
}

size_t GraphWriter::Meet(Join how, std::vector<size_t> inputs) {
  graph_.calls.push_back({how, std::move(inputs)});
  return graph_.calls.size();
}

Graph GraphWriter::Take() { return std::move(graph_); }

}  // namespace facegate::network
