#pragma once

#include "face/network/description.h"

namespace facegate {

// A network of all kinds of layers that foreign networks have and our own do not: it takes
// `channels`·6·8 and gives 5 numbers.
inline network::Description SmallGraph(int64_t channels = 2) {
  network::Graph graph;
  const auto call = [&](std::string name, network::LayerKind kind, size_t input) {
    graph.layers.push_back({std::move(name), std::move(kind)});
    graph.calls.push_back({graph.layers.size() - 1, {input}});
    return graph.calls.size();
  };
  const auto join = [&](network::Join how, std::vector<size_t> inputs) {
    graph.calls.push_back({how, std::move(inputs)});
    return graph.calls.size();
  };
  const network::Window uneven{.kernel = {3, 2},
                               .stride = {1, 2},
                               .dilation = {2, 1},
                               .padding = {.top = 2, .left = 1, .bottom = 1, .right = 0}};
  const network::Window square{
      .kernel = {2, 2}, .stride = {1, 1}, .dilation = {}, .padding = {0, 0, 1, 1}};
  const size_t scaled = call("scaled", network::ChannelAffine{.channels = channels}, 0);
  const size_t first =
      call("stem.conv",
           network::OblongConvolution{
               .in = channels, .out = 4, .groups = 1, .window = uneven, .bias = true},
           scaled);
  const size_t norm = call("stem.norm", network::BatchNorm{.channels = 4, .epsilon = 1e-3}, first);
  const size_t active = call("stem.act", network::Clip{.low = 0.0, .high = 6.0}, norm);
  const size_t largest = call("largest", network::MaxPool{square}, active);
  const size_t mean =
      call("mean", network::AveragePool{.window = square, .count_padding = false}, largest);
  // A gate.
  const size_t squeezed = call("gate.squeeze", network::GlobalAverage{}, mean);
  const size_t gate = call("gate.fc", network::Convolution{{.in = 4, .out = 4}, true}, squeezed);
  const size_t open = call("gate.sigmoid", network::Sigmoid{}, gate);
  const size_t gated = join(network::Join::kMultiply, {mean, open});
  // The same of a list of numbers.
  const size_t means = call("list.flatten", network::Flatten{}, squeezed);
  const size_t weights = call("list.fc", network::Linear{.in = 4, .out = 4, .bias = false}, means);
  const size_t weighted = join(network::Join::kMultiply, {gated, weights});
  // A residual whose PReLU is used twice.
  const size_t once = call("block.prelu", network::PRelu{1}, weighted);
  const size_t conv =
      call("block.conv",
           network::Convolution{{.in = 4, .out = 4, .kernel = 3, .padding = 1, .groups = 2}}, once);
  const size_t sum = join(network::Join::kAdd, {conv, gated});
  graph.calls.push_back({graph.layers.size() - 2, {sum}});
  const size_t twice = graph.calls.size();
  const size_t difference = join(network::Join::kSubtract, {twice, mean});
  const size_t both = join(network::Join::kConcat, {difference, active});
  const size_t padded =
      call("padded", network::Pad{{.top = 1, .left = 0, .bottom = 0, .right = 2}}, both);
  const size_t quotient =
      join(network::Join::kDivide, {padded, call("even", network::Sigmoid{}, padded)});
  const size_t list = call("flat", network::Flatten{}, quotient);
  const size_t relu = call("relu", network::Relu{}, list);
  const size_t many =
      call("many", network::BatchNorm{.channels = 8 * 6 * 6, .affine = false}, relu);
  call("fc", network::Linear{.in = 8 * 6 * 6, .out = 5, .bias = true}, many);
  return {.name = "small graph",
          .input = {.channels = channels, .height = 6, .width = 8},
          .outputs = 5,
          .layers = {{"graph", std::move(graph)}},
          .more = {}};
}

}  // namespace facegate
