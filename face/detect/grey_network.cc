#include "face/detect/grey_network.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>
#include <string>
#include <utility>
#include <variant>

#include "face/base/catch.h"
#include "face/network/tensor_list.h"
#include "face/weights/weights.h"

namespace facegate {
namespace {

Status CheckTensor(const std::string& network, const NetworkWeights& weights,
                   const network::TensorShape& expected) {
  const auto found = weights.tensors.find(expected.name);
  if (found == weights.tensors.end()) {
    return InvalidArgument(fmt::format("{}: tensor {} is missing", network, expected.name));
  }
  const NetworkTensor& tensor = found->second;
  if (!std::equal(tensor.shape.begin(), tensor.shape.end(), expected.shape.begin(),
                  expected.shape.end()) ||
      static_cast<int64_t>(tensor.values.size()) != ElementCount(expected.shape)) {
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

Status CheckWeights(const network::Description& description, const NetworkWeights& weights) {
  const std::vector<network::TensorShape> shapes = network::TensorsOf(description);
  for (const network::TensorShape& shape : shapes) {
    FACEGATE_RETURN_IF_ERROR(CheckTensor(description.name, weights, shape));
  }
  for (const auto& [name, tensor] : weights.tensors) {
    const bool known = std::any_of(
        shapes.begin(), shapes.end(),
        [&wanted = name](const network::TensorShape& one) { return one.name == wanted; });
    if (!known) {
      return InvalidArgument(
          fmt::format("{}: it has a tensor of an unknown name", description.name));
    }
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

// Adds layers to a network of cv::dnn. The weights' names and shapes have been checked.
class LayerAdder {
 public:
  LayerAdder(const NetworkWeights& weights, cv::dnn::Net& net) : weights_(weights), net_(net) {}

  // False for a layer that grey networks do not have.
  bool Add(const network::Layer& layer) {
    name_ = layer.name;
    return std::visit(*this, layer.kind);
  }

  bool operator()(const network::Convolution& layer) {
    cv::dnn::LayerParams parameters = WithBlobs(layer.bias);
    parameters.set("num_output", static_cast<int>(layer.shape.out));
    parameters.set("kernel_size", static_cast<int>(layer.shape.kernel));
    parameters.set("stride", static_cast<int>(layer.shape.stride));
    parameters.set("pad", static_cast<int>(layer.shape.padding));
    parameters.set("group", static_cast<int>(layer.shape.groups));
    net_.addLayerToPrev(name_, "Convolution", parameters);
    return true;
  }
  bool operator()(const network::Relu& /*layer*/) {
    cv::dnn::LayerParams parameters;
    net_.addLayerToPrev(name_, "ReLU", parameters);
    return true;
  }
  bool operator()(const network::Flatten& /*layer*/) {
    cv::dnn::LayerParams parameters;
    net_.addLayerToPrev(name_, "Flatten", parameters);
    return true;
  }
  bool operator()(const network::Linear& layer) {
    cv::dnn::LayerParams parameters = WithBlobs(layer.bias);
    parameters.set("num_output", static_cast<int>(layer.out));
    parameters.set("axis", 1);
    net_.addLayerToPrev(name_, "InnerProduct", parameters);
    return true;
  }
  template <typename Other>
  bool operator()(const Other& /*layer*/) {
    return false;
  }

 private:
  cv::dnn::LayerParams WithBlobs(bool bias) const {
    cv::dnn::LayerParams parameters;
    parameters.set("bias_term", bias);
    parameters.blobs = {BlobOf(weights_, name_ + ".weight")};
    if (bias) parameters.blobs.push_back(BlobOf(weights_, name_ + ".bias"));
    return parameters;
  }

  const NetworkWeights& weights_;
  cv::dnn::Net& net_;
  std::string name_;
};

StatusOr<cv::dnn::Net> BuildNet(const network::Description& description,
                                const NetworkWeights& weights) {
  cv::dnn::Net net;
  LayerAdder adder(weights, net);
  for (const network::Layer& layer : description.layers) {
    if (!adder.Add(layer)) {
      return InvalidArgument(fmt::format("{}: layer {} is of a kind that grey networks do not have",
                                         description.name, layer.name));
    }
  }
  net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
  net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
  return net;
}

class DnnGreyNetwork final : public GreyNetwork {
 public:
  DnnGreyNetwork(const network::Description& description, const cv::dnn::Net& net)
      : name_(description.name),
        side_(static_cast<int>(description.input.height)),
        outputs_(static_cast<size_t>(description.outputs)),
        task_("running the " + description.name),
        net_(net) {}

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

StatusOr<std::unique_ptr<GreyNetwork>> GreyNetwork::Create(const network::Description& description,
                                                           const NetworkWeights& weights) {
  FACEGATE_RETURN_IF_ERROR(CheckWeights(description, weights));
  return CatchToStatus(
      "building the " + description.name, [&]() -> StatusOr<std::unique_ptr<GreyNetwork>> {
        FACEGATE_ASSIGN_OR_RETURN(cv::dnn::Net net, BuildNet(description, weights));
        return std::make_unique<DnnGreyNetwork>(description, std::move(net));
      });
}

}  // namespace facegate
