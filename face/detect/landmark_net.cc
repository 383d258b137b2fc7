#include "face/detect/landmark_net.h"

#include <fmt/format.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <vector>

namespace facegate {
namespace {

// A crop of one colour has no deviation to divide by.
constexpr double kLeastDeviation = 2.0;

}  // namespace

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
  FACEGATE_ASSIGN_OR_RETURN(auto network, GreyNetwork::Create(DescribeLandmarkNetwork(), weights));
  if (weights.tensors.find(kBoxToFrame)->second.values[2] <= 0) {
    return InvalidArgument(
        fmt::format("landmark network: {} has a side that is not positive", kBoxToFrame));
  }
  return std::make_unique<LandmarkNet>(std::move(network));
}

StatusOr<LandmarkNet::Outputs> LandmarkNet::Run(const cv::Mat& crop) {
  if (crop.type() != CV_8UC1) return Internal("a landmark crop that is not grey");
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<float> answer, network_->Run(LandmarkInput(crop)));
  Outputs outputs{};
  std::copy_n(answer.begin(), outputs.size(), outputs.begin());
  return outputs;
}

}  // namespace facegate
