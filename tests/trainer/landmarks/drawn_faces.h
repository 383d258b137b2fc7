#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "face/base/check.h"
#include "face/base/random.h"
#include "face/detect/face_frame.h"
#include "trainer/landmarks/sample.h"

namespace facegate {

// A drawn face in a patch of 128 pixels: bright, with dark dots for landmarks. No photo of anybody.
inline LandmarkSample DrawnFace(uint32_t photo, uint64_t seed) {
  RandomStream random(seed, photo);
  const FaceFrame frame{.centre = {random.Uniform(58, 70), random.Uniform(58, 70)},
                        .side = random.Uniform(52, 64),
                        .angle = random.Uniform(-0.2, 0.2)};
  cv::Mat patch(128, 128, CV_8UC1, cv::Scalar(60));
  cv::ellipse(patch, cv::Point(frame.centre), cv::Size(30, 38), 0, 0, 360, cv::Scalar(190), -1);
  LandmarkSample sample{.photo = photo, .jpeg = {}, .points = {}, .box = {}};
  for (const cv::Point2d& own : AverageFace()) {
    const cv::Point2d point = frame.ToPicture(own);
    sample.points.emplace_back(point);
    cv::circle(patch, point * 16.0, 16 * 4, cv::Scalar(20), -1, cv::LINE_AA, 4);
  }
  auto jpeg = EncodePatch(patch);
  FACEGATE_CHECK(jpeg.ok());
  sample.jpeg = *std::move(jpeg);
  sample.box = cv::Rect2d(frame.centre.x + 0.5 - frame.side / 2,
                          frame.centre.y + 0.5 - frame.side / 2, frame.side, frame.side);
  return sample;
}

// Grey waves.
inline NegativeSample DrawnNegative(uint32_t photo, uint64_t seed) {
  RandomStream random(seed, photo, 1);
  cv::Mat patch(96, 96, CV_8UC1);
  const double across = random.Uniform(2, 12);
  const double down = random.Uniform(2, 12);
  for (int y = 0; y < patch.rows; ++y) {
    for (int x = 0; x < patch.cols; ++x) {
      patch.at<uchar>(y, x) =
          cv::saturate_cast<uchar>(128 + 60 * std::sin(x / across) + 60 * std::cos(y / down));
    }
  }
  auto jpeg = EncodePatch(patch);
  FACEGATE_CHECK(jpeg.ok());
  return {.photo = photo, .jpeg = *std::move(jpeg), .box = {18, 18, 60, 60}};
}

// A face and a box without one for each of `people`, who have two photos each.
inline LandmarkSamples DrawnSamples(uint32_t people) {
  LandmarkSamples samples;
  for (uint32_t i = 0; i < 2 * people; ++i) {
    samples.photos.push_back(std::to_string(i / 2) + "/" + std::to_string(i) + ".jpg");
    samples.faces.push_back(DrawnFace(i, 5));
    samples.negatives.push_back(DrawnNegative(i, 6));
  }
  return samples;
}

}  // namespace facegate
