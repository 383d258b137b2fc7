#include "face/detect/grey_network.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>
#include <utility>

#include "face/base/catch.h"

namespace facegate {
namespace {

constexpr int kKernel = 3;

Status CheckTensor(const std::string& network, const NetworkWeights& weights,
                   const NetworkTensorShape& expected) {
  const auto found = weights.tensors.find(expected.name);
  if (found == weights.tensors.end()) {
    return InvalidArgument(fmt::format("{}: tensor {} is missing", network, expected.name));
  }
  const NetworkTensor& tensor = found->second;
  size_t count = 1;
  for (const int extent : expected.shape) count *= static_cast<size_t>(extent);
  if (tensor.shape != expected.shape || tensor.values.size() != count) {
    return InvalidArgument(fmt::format("{}: tensor {} is [{}], expected [{}]", network,
                                       expected.name, fmt::join(tensor.shape, ", "),
                                       fmt::join(expected.shape, ", ")));
  }
  if (!std::all_of(tensor.values.begin(), tensor.values.end(),
                   [](float value) { return std::isfinite(value); })) {
    return InvalidArgument(
        fmt::format("{}: tensor {} has numbers that are not finite", network, expected.name));
  }
  return OkStatus();
}

// Names and shapes have been checked.
cv::Mat BlobOf(const NetworkWeights& weights, const std::string& name) {
  const NetworkTensor& tensor = weights.tensors.find(name)->second;
  cv::Mat blob(tensor.shape, CV_32F);
  std::copy(tensor.values.begin(), tensor.values.end(), blob.ptr<float>());
  return blob;
}

void AddRelu(cv::dnn::Net& net, const std::string& name) {
  cv::dnn::LayerParams relu;
  net.addLayerToPrev(name, "ReLU", relu);
}

void AddConvolution(cv::dnn::Net& net, const NetworkWeights& weights, const std::string& name,
                    const GreyConvolution& layer) {
  cv::dnn::LayerParams parameters;
  parameters.set("num_output", layer.outputs);
  parameters.set("kernel_size", kKernel);
  parameters.set("stride", layer.stride);
  parameters.set("pad", kKernel / 2);
  parameters.set("bias_term", true);
  parameters.blobs = {BlobOf(weights, name + ".weight"), BlobOf(weights, name + ".bias")};
  net.addLayerToPrev(name, "Convolution", parameters);
  AddRelu(net, name + ".relu");
}

void AddConnected(cv::dnn::Net& net, const NetworkWeights& weights, const std::string& name,
                  int outputs) {
  cv::dnn::LayerParams parameters;
  parameters.set("num_output", outputs);
  parameters.set("bias_term", true);
  parameters.set("axis", 1);
  parameters.blobs = {BlobOf(weights, name + ".weight"), BlobOf(weights, name + ".bias")};
  net.addLayerToPrev(name, "InnerProduct", parameters);
}

std::string ConvolutionName(size_t number) { return fmt::format("convolution{}", number + 1); }

class DnnGreyNetwork final : public GreyNetwork {
 public:
  DnnGreyNetwork(const GreyNetworkLayout& layout, const NetworkWeights& weights)
      : name_(layout.name),
        side_(layout.crop_side),
        outputs_(static_cast<size_t>(layout.outputs)),
        task_("running the " + layout.name) {
    for (size_t i = 0; i < layout.convolutions.size(); ++i) {
      AddConvolution(net_, weights, ConvolutionName(i), layout.convolutions[i]);
    }
    AddConnected(net_, weights, "hidden", layout.hidden);
    AddRelu(net_, "hidden.relu");
    AddConnected(net_, weights, "output", layout.outputs);
    net_.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net_.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
  }

  StatusOr<std::vector<float>> Run(const cv::Mat& input) override {
    return CatchToStatus(task_, [&]() -> StatusOr<std::vector<float>> {
      if (input.type() != CV_32FC1 || input.size() != cv::Size(side_, side_)) {
        return Internal(
            fmt::format("the {} was shown a crop of {}x{} pixels", name_, input.cols, input.rows));
      }
      net_.setInput(cv::dnn::blobFromImage(input));
      const cv::Mat answer = net_.forward();
      if (answer.type() != CV_32F || answer.total() != outputs_) {
        return Internal(fmt::format("the {} gave {} numbers", name_, answer.total()));
      }
      return std::vector<float>(answer.ptr<float>(), answer.ptr<float>() + outputs_);
    });
  }

 private:
  const std::string name_;
  const int side_;
  const size_t outputs_;
  const std::string task_;
  cv::dnn::Net net_;
};

}  // namespace

std::vector<NetworkTensorShape> TensorShapesOf(const GreyNetworkLayout& layout) {
  std::vector<NetworkTensorShape> shapes;
  const auto add = [&](const std::string& layer, std::vector<int> weight) {
    const int outputs = weight.front();
    shapes.push_back({layer + ".weight", std::move(weight)});
    shapes.push_back({layer + ".bias", {outputs}});
  };
  for (size_t i = 0; i < layout.convolutions.size(); ++i) {
    const GreyConvolution& layer = layout.convolutions[i];
    add(ConvolutionName(i), {layer.outputs, layer.inputs, kKernel, kKernel});
  }
  add("hidden",
      {layout.hidden, layout.convolutions.back().outputs * layout.grid_side * layout.grid_side});
  add("output", {layout.outputs, layout.hidden});
  shapes.insert(shapes.end(), layout.more.begin(), layout.more.end());
  return shapes;
}

Status CheckNetworkWeights(const GreyNetworkLayout& layout, const NetworkWeights& weights) {
  const std::vector<NetworkTensorShape> shapes = TensorShapesOf(layout);
  for (const NetworkTensorShape& shape : shapes) {
    FACEGATE_RETURN_IF_ERROR(CheckTensor(layout.name, weights, shape));
  }
  for (const auto& [name, tensor] : weights.tensors) {
    const bool known =
        std::any_of(shapes.begin(), shapes.end(),
                    [&wanted = name](const NetworkTensorShape& one) { return one.name == wanted; });
    if (!known) {
      return InvalidArgument(fmt::format("{}: it has a tensor of an unknown name", layout.name));
    }
  }
  return OkStatus();
}

StatusOr<std::unique_ptr<GreyNetwork>> GreyNetwork::Create(const GreyNetworkLayout& layout,
                                                           const NetworkWeights& weights) {
  FACEGATE_RETURN_IF_ERROR(CheckNetworkWeights(layout, weights));
  return CatchToStatus("building the " + layout.name,
                       [&]() -> StatusOr<std::unique_ptr<GreyNetwork>> {
                         return std::make_unique<DnnGreyNetwork>(layout, weights);
                       });
}

}  // namespace facegate
