#include "face/network/tensor_list.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "face/weights/weights.h"

namespace facegate::network {
namespace {

// The layers' tensors, each name with that prefix: first those that are called as their layers are,
// as modules of PyTorch have them.
void ListEach(const std::string& prefix, const std::vector<Layer>& layers,
              std::vector<TensorShape>& tensors);

// Lists the tensors of one layer; `name` is its full name.
class TensorLister {
 public:
  TensorLister(std::string name, std::vector<TensorShape>& tensors)
      : name_(std::move(name)), tensors_(tensors) {}

  void operator()(const Convolution& layer) {
    const ConvShape& shape = layer.shape;
    Parameter("weight", {shape.out, shape.in / shape.groups, shape.kernel, shape.kernel});
    if (layer.bias) Parameter("bias", {shape.out});
  }
  void operator()(const OblongConvolution& layer) {
    const Sides& kernel = layer.window.kernel;
    Parameter("weight", {layer.out, layer.in / layer.groups, kernel.height, kernel.width});
    if (layer.bias) Parameter("bias", {layer.out});
  }
  void operator()(const ChannelAffine& layer) {
    if (layer.weight) Parameter("weight", {layer.channels});
    if (layer.bias) Parameter("bias", {layer.channels});
  }
  void operator()(const BatchNorm& layer) {
    if (layer.affine) {
      Parameter("weight", {layer.channels});
      Parameter("bias", {layer.channels});
    }
    Buffer("running_mean", {layer.channels});
    Buffer("running_var", {layer.channels});
    Buffer("num_batches_tracked", {});
  }
  void operator()(const PRelu& layer) { Parameter("weight", {layer.channels}); }
  void operator()(const Linear& layer) {
    Parameter("weight", {layer.out, layer.in});
    if (layer.bias) Parameter("bias", {layer.out});
  }
  void operator()(const ChannelGate& layer) {
    const int64_t squeezed = layer.channels / layer.reduction;
    Parameter("fc1.weight", {squeezed, layer.channels, 1, 1});
    Parameter("fc2.weight", {layer.channels, squeezed, 1, 1});
  }
  void operator()(const PositionEmbedding& layer) { Own({1, layer.count, layer.channels}); }
  void operator()(const MaskToken& layer) { Own({1, 1, layer.channels}); }
  void operator()(const LayerNorm& layer) {
    Parameter("weight", {layer.channels});
    Parameter("bias", {layer.channels});
  }
  void operator()(const SelfAttention& layer) {
    Parameter("qkv.weight", {3 * layer.channels, layer.channels});
    if (layer.bias) Parameter("qkv.bias", {3 * layer.channels});
    Parameter("proj.weight", {layer.channels, layer.channels});
    Parameter("proj.bias", {layer.channels});
  }
  void operator()(const Chain& chain) { List(chain.layers); }
  void operator()(const Residual& residual) {
    List(residual.layers);
    List(residual.shortcut);
  }
  void operator()(const Graph& graph) { List(graph.layers); }
  void operator()(const MaxPool& /*layer*/) {}
  void operator()(const AveragePool& /*layer*/) {}
  void operator()(const GlobalAverage& /*layer*/) {}
  void operator()(const Pad& /*layer*/) {}
  void operator()(const Clip& /*layer*/) {}
  void operator()(const Sigmoid& /*layer*/) {}
  void operator()(const Relu& /*layer*/) {}
  void operator()(const Dropout& /*layer*/) {}
  void operator()(const Flatten& /*layer*/) {}
  void operator()(const Subsample& /*layer*/) {}
  void operator()(const PixelShuffle& /*layer*/) {}
  void operator()(const Tokens& /*layer*/) {}
  void operator()(const DropPath& /*layer*/) {}
  void operator()(const DropTokens& /*layer*/) {}

 private:
  void List(const std::vector<Layer>& layers) { ListEach(name_ + ".", layers, tensors_); }
  // The tensor is called as the layer is.
  void Own(std::vector<int64_t> shape) { tensors_.push_back({name_, std::move(shape)}); }
  void Parameter(std::string_view name, std::vector<int64_t> shape) {
    tensors_.push_back({fmt::format("{}.{}", name_, name), std::move(shape)});
  }
  void Buffer(std::string_view name, std::vector<int64_t> shape) {
    tensors_.push_back({fmt::format("{}.{}", name_, name), std::move(shape), false});
  }

  const std::string name_;
  std::vector<TensorShape>& tensors_;
};

void ListEach(const std::string& prefix, const std::vector<Layer>& layers,
              std::vector<TensorShape>& tensors) {
  for (const bool own : {true, false}) {
    for (const Layer& layer : layers) {
      const bool is_own = std::holds_alternative<PositionEmbedding>(layer.kind) ||
                          std::holds_alternative<MaskToken>(layer.kind);
      if (is_own == own) std::visit(TensorLister(prefix + layer.name, tensors), layer.kind);
    }
  }
}

}  // namespace

std::vector<TensorShape> TensorsOf(const Layer& layer) {
  std::vector<TensorShape> tensors;
  std::visit(TensorLister(layer.name, tensors), layer.kind);
  return tensors;
}

std::vector<TensorShape> TensorsOf(const Description& description) {
  std::vector<TensorShape> tensors;
  ListEach("", description.layers, tensors);
  tensors.insert(tensors.end(), description.more.begin(), description.more.end());
  return tensors;
}

int64_t CountParameters(const std::vector<TensorShape>& tensors) {
  int64_t count = 0;
  for (const TensorShape& tensor : tensors) {
    if (tensor.parameter) count += ElementCount(tensor.shape).value_or(0);
  }
  return count;
}

}  // namespace facegate::network
