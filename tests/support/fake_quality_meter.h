#pragma once

#include <algorithm>
#include <opencv2/core.hpp>

#include "face/detect/quality_meter.h"
#include "tests/support/pattern_image.h"

namespace facegate {

// A face is as good as it is bright: patterns have the quality 1, those of DarkPattern() about 0.2,
// reported as under-exposure. So a test knows which faces pass. Thread-safe.
class FakeQualityMeter final : public QualityMeter {
 public:
  StatusOr<FaceQuality> OfFace(const Image& image, const DetectedFace& face) const override {
    const cv::Rect2f picture(cv::Point2f(), cv::Size2f(image.bgr.size()));
    return OfPixels(image.bgr(cv::Rect(face.box & picture)));
  }
  StatusOr<FaceQuality> OfCrop(const AlignedFace& crop,
                               AlignmentTemplate /*alignment*/) const override {
    return OfPixels(crop.bgr);
  }

 private:
  static FaceQuality OfPixels(const cv::Mat& bgr) {
    constexpr double kBright = 64.0;
    const cv::Scalar mean = cv::mean(bgr);
    const double quality = std::min(1.0, (mean[0] + mean[1] + mean[2]) / 3 / kBright);
    constexpr auto kComponent = QualityComponent::kUnderExposure;
    return Combine({{.component = kComponent,
                     .value = ValueOfQuality(kComponent, quality, 0.0),
                     .quality = quality}});
  }
};

// A pattern in a tenth of its light. All of them are nearly alike to FakeEmbedder: two dark
// strangers resemble each other more than a person and their own dark picture.
inline cv::Mat DarkPattern(uint64_t seed) { return PatternImage(seed) * 0.1; }

}  // namespace facegate
