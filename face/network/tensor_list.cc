#include "face/network/tensor_list.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "face/weights/weights.h"

namespace facegate::network {
namespace {

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

 private:
  void List(const std::vector<Layer>& layers) {
    for (const Layer& layer : layers) {
      std::visit(TensorLister(name_ + "." + layer.name, tensors_), layer.kind);
    }
  }
  void Parameter(std::string_view name, std::vector<int64_t> shape) {
    tensors_.push_back({fmt::format("{}.{}", name_, name), std::move(shape)});
  }
  void Buffer(std::string_view name, std::vector<int64_t> shape) {
    tensors_.push_back({fmt::format("{}.{}", name_, name), std::move(shape), false});
  }

  const std::string name_;
  std::vector<TensorShape>& tensors_;
};

}  // namespace

std::vector<TensorShape> TensorsOf(const Layer& layer) {
  std::vector<TensorShape> tensors;
  std::visit(TensorLister(layer.name, tensors), layer.kind);
  return tensors;
}

std::vector<TensorShape> TensorsOf(const Description& description) {
  std::vector<TensorShape> tensors;
  for (const Layer& layer : description.layers) {
    std::visit(TensorLister(layer.name, tensors), layer.kind);
  }
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
