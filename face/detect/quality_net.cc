#include "face/detect/quality_net.h"

#include <cmath>
#include <opencv2/core.hpp>
#include <vector>

namespace facegate {
namespace {

double Probability(float log_odds) { return 1 / (1 + std::exp(-double{log_odds})); }

}  // namespace

cv::Mat QualityInput(const cv::Mat& crop) {
  cv::Mat input;
  crop.convertTo(input, CV_32F, 1 / 127.5, -1.0);
  return input;
}

StatusOr<std::unique_ptr<QualityNet>> QualityNet::Create(const QualityWeights& weights) {
  FACEGATE_ASSIGN_OR_RETURN(auto network, GreyNetwork::Create(DescribeQualityNetwork(), weights));
  return std::make_unique<QualityNet>(std::move(network));
}

StatusOr<QualityOpinion> QualityNet::Run(const cv::Mat& crop) {
  if (crop.type() != CV_8UC1) return Internal("a quality crop that is not grey");
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<float> answer, network_->Run(QualityInput(crop)));
  return QualityOpinion{.expected_score = answer[0],
                        .eyes_visible = Probability(answer[1]),
                        .mouth_visible = Probability(answer[2])};
}

}  // namespace facegate
