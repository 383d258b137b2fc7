#include "trainer/synthetic/camera_effects.h"

#include <array>
#include <bit>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "face/base/random.h"
#include "trainer/synthetic/curves.h"
#include "trainer/synthetic/through_jpeg.h"

namespace facegate::synthetic {
namespace {

constexpr uint64_t kPurpose = 0x6366;  // names the stream

// Linear to half, bent towards 1 above: highlights keep their drawing.
float Shoulder(float x) { return x < 0.5F ? x : 1.0F - 0.25F / x; }

uint8_t ToDisplay(float light, float contrast) {
  const float value = std::sqrt(Shoulder(std::max(0.0F, light)));
  return cv::saturate_cast<uint8_t>(255.0F * ((value - 0.45F) * contrast + 0.45F));
}

cv::Mat Develop(std::span<const Vector3> light, cv::Size size, const FaceView& view) {
  cv::Mat picture(size, CV_8UC3);
  size_t i = 0;
  for (int y = 0; y < size.height; ++y) {
    auto* row = picture.ptr<cv::Vec3b>(y);
    for (int x = 0; x < size.width; ++x) {
      const Vector3 colour = light[i++] * view.white_balance * view.exposure;
      row[x] = {ToDisplay(colour.z, view.contrast), ToDisplay(colour.y, view.contrast),
                ToDisplay(colour.x, view.contrast)};
    }
  }
  return picture;
}

// The mean of copies that are moved along a line.
void MoveCamera(cv::Mat& picture, float length, float angle) {
  const int steps = static_cast<int>(std::lround(length));
  if (steps < 1) return;
  cv::Mat sum = cv::Mat::zeros(picture.size(), CV_16UC3);
  const int border = steps + 1;
  cv::Mat wide;
  cv::copyMakeBorder(picture, wide, border, border, border, border, cv::BORDER_REPLICATE);
  for (int i = 0; i <= steps; ++i) {
    const float away = static_cast<float>(i) - 0.5F * static_cast<float>(steps);
    const int x = border + static_cast<int>(std::lround(away * std::cos(angle)));
    const int y = border + static_cast<int>(std::lround(away * std::sin(angle)));
    cv::add(sum, wide({x, y, picture.cols, picture.rows}), sum, cv::noArray(), CV_16U);
  }
  sum.convertTo(picture, CV_8U, 1.0 / (steps + 1));
}

// Grey and coloured grain. The sum of eight random bytes is close enough to a normal number.
void AddGrain(cv::Mat& picture, float deviation, RandomStream random) {
  const auto normal = [&](uint64_t bits) {
    constexpr uint64_t kEven = 0x00ff00ff00ff00ff;
    uint64_t sum = (bits & kEven) + ((bits >> 8) & kEven);
    sum = (sum & 0x0000ffff0000ffff) + ((sum >> 16) & 0x0000ffff0000ffff);
    const auto total = static_cast<float>((sum & 0xffffffff) + (sum >> 32));
    return (total - 1020.0F) / 209.0F;
  };
  for (int y = 0; y < picture.rows; ++y) {
    auto* row = picture.ptr<cv::Vec3b>(y);
    for (int x = 0; x < picture.cols; ++x) {
      const float grey = deviation * normal(random.Next());
      const uint64_t bits = random.Next();
      for (int c = 0; c < 3; ++c) {
        const auto own = static_cast<float>((bits >> (16 * c)) & 0xffff) / 65535.0F - 0.5F;
        row[x][c] = cv::saturate_cast<uint8_t>(static_cast<float>(row[x][c]) + grey +
                                               1.7F * deviation * own);
      }
    }
  }
}

}  // namespace

StatusOr<cv::Mat> TakePhoto(std::span<const Vector3> light, cv::Size size, const FaceView& view,
                            float eye_distance) {
  cv::Mat picture = Develop(light, size, view);
  if (const double blur = view.defocus * eye_distance; blur > 0.2) {
    cv::GaussianBlur(picture, picture, {0, 0}, blur);
  }
  MoveCamera(picture, view.motion * eye_distance, view.motion_angle);
  AddGrain(picture, view.noise, RandomStream(view.noise_seed, kPurpose));
  return ThroughJpeg(picture, view.jpeg_quality);
}

}  // namespace facegate::synthetic
