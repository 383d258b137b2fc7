#include "face/detect/landmark_net.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>
#include <string_view>
#include <utility>

#include "face/base/catch.h"

namespace facegate {
namespace {

// A crop of one colour has no deviation to divide by.
constexpr double kLeastDeviation = 2.0;
constexpr int kKernel = 3;

Status CheckTensor(const LandmarkWeights& weights, const LandmarkTensorShape& expected) {
  const auto found = weights.tensors.find(expected.name);
  if (found == weights.tensors.end()) {
    return InvalidArgument(fmt::format("landmark network: tensor {} is missing", expected.name));
  }
  const LandmarkTensor& tensor = found->second;
  size_t count = 1;
  for (const int extent : expected.shape) count *= static_cast<size_t>(extent);
  if (tensor.shape != expected.shape || tensor.values.size() != count) {
    return InvalidArgument(fmt::format("landmark network: tensor {} is [{}], expected [{}]",
                                       expected.name, fmt::join(tensor.shape, ", "),
                                       fmt::join(expected.shape, ", ")));
  }
  if (!std::all_of(tensor.values.begin(), tensor.values.end(),
                   [](float value) { return std::isfinite(value); })) {
    return InvalidArgument(
        fmt::format("landmark network: tensor {} has numbers that are not finite", expected.name));
  }
  return OkStatus();
}

Status CheckTensors(const LandmarkWeights& weights) {
  const std::vector<LandmarkTensorShape> shapes = LandmarkTensorShapes();
  for (const LandmarkTensorShape& shape : shapes) {
    FACEGATE_RETURN_IF_ERROR(CheckTensor(weights, shape));
  }
  for (const auto& [name, tensor] : weights.tensors) {
    const bool known = std::any_of(
        shapes.begin(), shapes.end(),
        [&wanted = name](const LandmarkTensorShape& one) { return one.name == wanted; });
    if (!known) return InvalidArgument("landmark network: it has a tensor of an unknown name");
  }
  if (weights.tensors.find(kBoxToFrame)->second.values[2] <= 0) {
    return InvalidArgument(
        fmt::format("landmark network: {} has a side that is not positive", kBoxToFrame));
  }
  return OkStatus();
}

// Names and shapes have been checked.
cv::Mat BlobOf(const LandmarkWeights& weights, const std::string& name) {
  const LandmarkTensor& tensor = weights.tensors.find(name)->second;
  cv::Mat blob(tensor.shape, CV_32F);
  std::copy(tensor.values.begin(), tensor.values.end(), blob.ptr<float>());
  return blob;
}

void AddRelu(cv::dnn::Net& net, const std::string& name) {
  cv::dnn::LayerParams relu;
  net.addLayerToPrev(name, "ReLU", relu);
}

void AddConvolution(cv::dnn::Net& net, const LandmarkWeights& weights, const std::string& name,
                    const LandmarkConvolution& layer) {
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

void AddConnected(cv::dnn::Net& net, const LandmarkWeights& weights, const std::string& name,
                  int outputs) {
  cv::dnn::LayerParams parameters;
  parameters.set("num_output", outputs);
  parameters.set("bias_term", true);
  parameters.set("axis", 1);
  parameters.blobs = {BlobOf(weights, name + ".weight"), BlobOf(weights, name + ".bias")};
  net.addLayerToPrev(name, "InnerProduct", parameters);
}

std::string ConvolutionName(size_t number) { return fmt::format("convolution{}", number + 1); }

class DnnLandmarkNet final : public LandmarkNet {
 public:
  explicit DnnLandmarkNet(const LandmarkWeights& weights) {
    for (size_t i = 0; i < kLandmarkConvolutions.size(); ++i) {
      AddConvolution(net_, weights, ConvolutionName(i), kLandmarkConvolutions[i]);
    }
    AddConnected(net_, weights, "hidden", kLandmarkHidden);
    AddRelu(net_, "hidden.relu");
    AddConnected(net_, weights, "output", static_cast<int>(kLandmarkOutputs));
    net_.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net_.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
  }

  StatusOr<Outputs> Run(const cv::Mat& crop) override {
    return CatchToStatus("running the landmark network", [&]() -> StatusOr<Outputs> {
      if (crop.type() != CV_8UC1 || crop.size() != cv::Size(kLandmarkCropSide, kLandmarkCropSide)) {
        return Internal(fmt::format("a landmark crop of {}x{} pixels", crop.cols, crop.rows));
      }
      net_.setInput(cv::dnn::blobFromImage(LandmarkInput(crop)));
      const cv::Mat answer = net_.forward();
      if (answer.type() != CV_32F || answer.total() != kLandmarkOutputs) {
        return Internal(fmt::format("the landmark network gave {} numbers", answer.total()));
      }
      Outputs outputs{};
      std::copy_n(answer.ptr<float>(), outputs.size(), outputs.begin());
      return outputs;
    });
  }

 private:
  cv::dnn::Net net_;
};

}  // namespace

std::vector<LandmarkTensorShape> LandmarkTensorShapes() {
  std::vector<LandmarkTensorShape> shapes;
  const auto add = [&](const std::string& layer, std::vector<int> weight) {
    const int outputs = weight.front();
    shapes.push_back({layer + ".weight", std::move(weight)});
    shapes.push_back({layer + ".bias", {outputs}});
  };
  for (size_t i = 0; i < kLandmarkConvolutions.size(); ++i) {
    const LandmarkConvolution& layer = kLandmarkConvolutions[i];
    add(ConvolutionName(i), {layer.outputs, layer.inputs, kKernel, kKernel});
  }
  add("hidden", {kLandmarkHidden,
                 kLandmarkConvolutions.back().outputs * kLandmarkGridSide * kLandmarkGridSide});
  add("output", {static_cast<int>(kLandmarkOutputs), kLandmarkHidden});
  shapes.push_back({kBoxToFrame, {3}});
  return shapes;
}

cv::Mat LandmarkInput(const cv::Mat& crop) {
  cv::Scalar mean;
  cv::Scalar deviation;
  cv::meanStdDev(crop, mean, deviation);
  const double scale = 1 / std::max(deviation[0], kLeastDeviation);
  cv::Mat input;
  crop.convertTo(input, CV_32F, scale, -mean[0] * scale);
  return input;
}

StatusOr<std::unique_ptr<LandmarkNet>> LandmarkNet::Create(const LandmarkWeights& weights) {
  FACEGATE_RETURN_IF_ERROR(CheckTensors(weights));
  return CatchToStatus("building the landmark network",
                       [&]() -> StatusOr<std::unique_ptr<LandmarkNet>> {
                         return std::make_unique<DnnLandmarkNet>(weights);
                       });
}

}  // namespace facegate
