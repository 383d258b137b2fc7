#include "face/image/align.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <opencv2/core.hpp>
#include <random>
#include <vector>

#include "tests/support/encoded_image.h"
#include "tests/support/pattern_image.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

constexpr auto kArcFace = AlignmentTemplate::kArcFace112;
constexpr auto kSphereFace = AlignmentTemplate::kSphereFace96x112;

cv::Matx23d Similarity(double scale, double degrees, double x, double y) {
  const double a = scale * std::cos(degrees * CV_PI / 180);
  const double b = scale * std::sin(degrees * CV_PI / 180);
  return {a, -b, x, b, a, y};
}

cv::Point2d Apply(const cv::Matx23d& matrix, cv::Point2d point) {
  const cv::Vec2d moved = matrix * cv::Vec3d(point.x, point.y, 1);
  return {moved[0], moved[1]};
}

Landmarks Moved(std::span<const cv::Point2f> points, const cv::Matx23d& matrix) {
  Landmarks moved;
  for (const cv::Point2f& point : points) moved.emplace_back(Apply(matrix, point));
  return moved;
}

// Umeyama's solution (1991, equations 40 to 43) by singular values, reflection excluded.
cv::Matx23d Umeyama(const Landmarks& from, const Landmarks& to) {
  cv::Vec2d from_mean;
  cv::Vec2d to_mean;
  const auto n = static_cast<double>(from.size());
  for (size_t i = 0; i < from.size(); ++i) {
    from_mean += cv::Vec2d(from[i].x, from[i].y) / n;
    to_mean += cv::Vec2d(to[i].x, to[i].y) / n;
  }
  cv::Matx22d covariance = cv::Matx22d::zeros();
  double variance = 0;
  for (size_t i = 0; i < from.size(); ++i) {
    const cv::Vec2d p = cv::Vec2d(from[i].x, from[i].y) - from_mean;
    const cv::Vec2d q = cv::Vec2d(to[i].x, to[i].y) - to_mean;
    covariance += q * p.t() * (1 / n);
    variance += p.dot(p) / n;
  }
  cv::Matx22d u;
  cv::Matx22d vt;
  cv::Matx21d w;
  cv::SVD::compute(covariance, w, u, vt);
  const double sign = cv::determinant(u) * cv::determinant(vt) < 0 ? -1 : 1;
  const cv::Matx22d rotation = u * cv::Matx22d(1, 0, 0, sign) * vt;
  const double scale = (w(0) + sign * w(1)) / variance;
  const cv::Matx22d linear = rotation * scale;
  const cv::Vec2d shift = to_mean - linear * from_mean;
  return {linear(0, 0), linear(0, 1), shift[0], linear(1, 0), linear(1, 1), shift[1]};
}

// Bilinear interpolation at a point of the picture; black outside.
double Sample(const cv::Mat& picture, cv::Point2d at, int channel) {
  const int x = static_cast<int>(std::floor(at.x));
  const int y = static_cast<int>(std::floor(at.y));
  double value = 0;
  for (const int dy : {0, 1}) {
    for (const int dx : {0, 1}) {
      const cv::Point corner(x + dx, y + dy);
      if (!cv::Rect({}, picture.size()).contains(corner)) continue;
      const double weight = (1 - std::abs(at.x - corner.x)) * (1 - std::abs(at.y - corner.y));
      value += weight * picture.at<cv::Vec3b>(corner)[channel];
    }
  }
  return value;
}

TEST(AlignTest, NamesAndSizesOfTheTemplates) {
  EXPECT_EQ(AlignmentName(kArcFace), "arcface-112x112");
  EXPECT_EQ(AlignmentName(kSphereFace), "sphereface-96x112");
  for (const AlignmentTemplate alignment : {kArcFace, kSphereFace}) {
    EXPECT_EQ(AlignmentFromName(AlignmentName(alignment)), alignment);
  }
  EXPECT_EQ(AlignmentFromName("arcface"), std::nullopt);
  EXPECT_EQ(CropSize(kArcFace), cv::Size(112, 112));
  EXPECT_EQ(CropSize(kSphereFace), cv::Size(96, 112));
}

TEST(AlignTest, ArcFaceTemplateIsTheSphereFaceOneMovedBy8Pixels) {
  const auto sphere = TemplatePoints(kSphereFace);
  const auto arc = TemplatePoints(kArcFace);
  EXPECT_FLOAT_EQ(sphere[0].x, 30.2946f);
  EXPECT_FLOAT_EQ(sphere[2].y, 71.7366f);
  EXPECT_FLOAT_EQ(sphere[4].x, 62.7299f);
  EXPECT_FLOAT_EQ(arc[1].x, 73.5318f);
  EXPECT_FLOAT_EQ(arc[3].y, 92.3655f);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(arc[i].x - sphere[i].x, 8, 1e-5);
    EXPECT_EQ(arc[i].y, sphere[i].y);
  }
}

TEST(AlignTest, RecoversAKnownTransformFromFiveAndFromTwoPoints) {
  for (const double degrees : {0.0, 17.0, -95.0, 180.0}) {
    for (const double scale : {0.02, 1.0, 13.0}) {
      const cv::Matx23d known = Similarity(scale, degrees, -250, 40);
      for (const size_t count : {size_t{5}, size_t{2}}) {
        const auto points = std::span<const cv::Point2f>(TemplatePoints(kArcFace)).first(count);
        FACEGATE_ASSERT_OK_AND_ASSIGN(const cv::Matx23d found,
                                      EstimateSimilarity(points, Moved(points, known)));
        EXPECT_LT(cv::norm(found - known), 1e-3) << degrees << " degrees, scale " << scale;
      }
    }
  }
}

TEST(AlignTest, EqualsUmeyamasSolutionForAnyPointsMirroredOnesToo) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 30);
  for (int round = 0; round < 200; ++round) {
    Landmarks from;
    Landmarks to;
    for (int i = 0; i < 5; ++i) {
      from.emplace_back(normal(random), normal(random));
      // Every other set is a noisy mirror image, where the best transform would be a reflection.
      const float side = round % 2 == 0 ? 1.0f : -1.0f;
      to.emplace_back(side * from.back().x + normal(random) / 4,
                      from.back().y + normal(random) / 4);
    }
    FACEGATE_ASSERT_OK_AND_ASSIGN(const cv::Matx23d found, EstimateSimilarity(from, to));
    EXPECT_LT(cv::norm(found - Umeyama(from, to)), 1e-6);
    EXPECT_GT(found(0, 0) * found(1, 1) - found(0, 1) * found(1, 0), 0);
  }
}

TEST(AlignTest, RefusesLandmarksThatGiveNoTransform) {
  const auto refused = RefusedWith(Reason::kNoFace);
  const auto target = TemplatePoints(kArcFace);
  EXPECT_THAT(EstimateSimilarity(Landmarks(5, {3, 4}), target), refused);
  EXPECT_THAT(EstimateSimilarity(target, Landmarks(5, {3, 4})), refused);
  EXPECT_THAT(EstimateSimilarity(Landmarks(4, {3, 4}), target), refused);
  EXPECT_THAT(EstimateSimilarity(Landmarks(1), Landmarks(1)), refused);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Landmarks landmarks(target.begin(), target.end());
    landmarks[2].y = bad;
    EXPECT_THAT(EstimateSimilarity(landmarks, target), refused);
  }
  const Image image{SmoothPicture(50, 50)};
  EXPECT_THAT(AlignFace(image, {}, kArcFace), refused);
  EXPECT_THAT(AlignFace(image, Landmarks(3, {3, 4}), kArcFace), refused);
}

TEST(AlignTest, WarpsLikeAPlainBilinearLoop) {
  const Image image{SmoothPicture(250, 250)};
  for (const AlignmentTemplate alignment : {kArcFace, kSphereFace}) {
    // The last one reaches beyond the picture.
    for (const cv::Matx23d& to_picture :
         {Similarity(1.3, 12, 40, 30), Similarity(0.7, -30, 90, 140),
          Similarity(1.9, 3, 100, 90)}) {
      const Landmarks landmarks = Moved(TemplatePoints(alignment), to_picture);
      FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignedFace face, AlignFace(image, landmarks, alignment));
      ASSERT_EQ(face.bgr.size(), CropSize(alignment));
      int outside = 0;
      for (int y = 0; y < face.bgr.rows; ++y) {
        for (int x = 0; x < face.bgr.cols; ++x) {
          const cv::Point2d at = Apply(to_picture, cv::Point2d(x, y));
          // OpenCV interpolates in steps of 1/32 pixel: at the edge to black that shows.
          const bool edge = std::abs(at.x - 249.5) < 1 || std::abs(at.y - 249.5) < 1;
          outside += at.x > 250 || at.y > 250 ? 1 : 0;
          for (int channel = 0; channel < 3; ++channel) {
            ASSERT_NEAR(face.bgr.at<cv::Vec3b>(y, x)[channel], Sample(image.bgr, at, channel),
                        edge ? 10 : 1)
                << "pixel " << x << ", " << y;
          }
        }
      }
      if (to_picture(0, 2) == 100) {
        EXPECT_GT(outside, 500);
      }
    }
  }
}

// A ramp is linear: averaging and interpolation must both give its value at the exact place.
TEST(AlignTest, KeepsTheExactPlaceHoweverLargeTheFaceIs) {
  for (const double scale : {0.5, 1.0, 1.99, 2.0, 3.7, 8.0}) {
    const int side = static_cast<int>(112 * scale * 1.5) + 8;
    cv::Mat ramp(side, side, CV_8UC3);
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x) {
        ramp.at<cv::Vec3b>(y, x) = cv::Vec3b(static_cast<uint8_t>(255 * x / side),
                                             static_cast<uint8_t>(255 * y / side), 128);
      }
    }
    const cv::Matx23d to_picture = Similarity(scale, 9, 30 * scale, 5 * scale);
    FACEGATE_ASSERT_OK_AND_ASSIGN(
        const AlignedFace face,
        AlignFace({ramp}, Moved(TemplatePoints(kArcFace), to_picture), kArcFace));
    for (int y = 5; y < 112; y += 10) {
      for (int x = 5; x < 112; x += 10) {
        const cv::Point2d at = Apply(to_picture, cv::Point2d(x, y));
        if (at.x < 2 * scale || at.x > side - 2 * scale || at.y > side - 2 * scale) continue;
        const cv::Vec3b pixel = face.bgr.at<cv::Vec3b>(y, x);
        EXPECT_NEAR(pixel[0], 255 * at.x / side - 0.5, 1.6) << "scale " << scale;
        EXPECT_NEAR(pixel[1], 255 * at.y / side - 0.5, 1.6) << "scale " << scale;
        EXPECT_EQ(pixel[2], 128);
      }
    }
  }
}

TEST(AlignTest, AveragesFinePatternsInsteadOfAliasing) {
  cv::Mat stripes(1200, 1200, CV_8UC3);
  for (int x = 0; x < stripes.cols; ++x)
    stripes.col(x).setTo(cv::Scalar::all(x % 2 == 0 ? 0 : 200));
  const Landmarks landmarks = Moved(TemplatePoints(kArcFace), Similarity(8, 0, 100, 100));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignedFace face, AlignFace({stripes}, landmarks, kArcFace));
  double low = 0;
  double high = 0;
  cv::minMaxIdx(face.bgr.reshape(1), &low, &high);
  EXPECT_NEAR(low, 100, 1);
  EXPECT_NEAR(high, 100, 1);
}

TEST(AlignTest, RefusesAFaceOutsideThePicture) {
  const Image image{SmoothPicture(250, 250)};
  const auto at = [](double x, double y) {
    return Moved(TemplatePoints(kArcFace), Similarity(1, 0, x, y));
  };
  EXPECT_THAT(AlignFace(image, at(200, 200), kArcFace), IsOk());
  EXPECT_THAT(AlignFace(image, at(260, 0), kArcFace), RefusedWith(Reason::kNoFace));
  EXPECT_THAT(AlignFace(image, at(0, -300), kArcFace), RefusedWith(Reason::kNoFace));
  EXPECT_THAT(AlignFace(image, at(1e8, 1e8), kArcFace), RefusedWith(Reason::kNoFace));
}

TEST(AlignTest, SurvivesLandmarksFarTooCloseOrTooFarApart) {
  const Image image{SmoothPicture(250, 250)};
  const auto of_scale = [](double scale) {
    return Moved(TemplatePoints(kArcFace), Similarity(scale, 20, 100, 100));
  };
  for (const double scale : {1e-4, 1e-2, 60.0, 1e4, 1e7}) {
    const auto face = AlignFace(image, of_scale(scale), kArcFace);
    if (face.ok()) {
      EXPECT_EQ(face->bgr.size(), cv::Size(112, 112)) << scale;
    } else {
      EXPECT_THAT(face, RefusedWith(Reason::kNoFace)) << scale;
    }
  }
}

TEST(AlignTest, TwoEyesGiveTheSameCropAsFivePointsThatAgree) {
  const Image image{SmoothPicture(250, 250)};
  const Landmarks five = Moved(TemplatePoints(kArcFace), Similarity(1.2, 8, 60, 50));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignedFace by_five, AlignFace(image, five, kArcFace));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignedFace by_two,
                                AlignFace(image, {five[0], five[1]}, kArcFace));
  EXPECT_LE(cv::norm(by_five.bgr, by_two.bgr, cv::NORM_INF), 1);
}

// Shows the template's face at a scale, turned and moved in a picture.
Landmarks FaceAt(double scale) {
  return Moved(TemplatePoints(kArcFace), Similarity(scale, 12, 150, 90));
}

TEST(CutViewTest, HasTheVeryCropInItsMiddle) {
  const Image picture{.bgr = PatternImage(1, {640, 480})};
  for (const AlignmentTemplate alignment : {kArcFace, kSphereFace}) {
    for (const double scale : {0.4, 1.0, 2.7}) {
      for (const cv::Size size : {cv::Size(112, 112), cv::Size(128, 128), cv::Size(145, 160)}) {
        const CropView view{.alignment = alignment, .size = size};
        FACEGATE_ASSERT_OK_AND_ASSIGN(const cv::Mat cut, CutView(picture, FaceAt(scale), view));
        FACEGATE_ASSERT_OK_AND_ASSIGN(const AlignedFace crop,
                                      AlignFace(picture, FaceAt(scale), alignment));
        ASSERT_EQ(cut.size(), size);
        EXPECT_EQ(cv::norm(cut(view.middle()), crop.bgr, cv::NORM_INF), 0) << scale;
      }
    }
  }
}

// The view goes on where the crop ends, without an edge.
TEST(CutViewTest, ShowsWhatThePictureHasAroundTheCrop) {
  cv::Mat picture(480, 640, CV_8UC3);
  for (int y = 0; y < picture.rows; ++y) {
    for (int x = 0; x < picture.cols; ++x) {
      picture.at<cv::Vec3b>(y, x) = {static_cast<uchar>(x / 4), static_cast<uchar>(y / 4), 90};
    }
  }
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const cv::Mat view,
      CutView({.bgr = picture}, FaceAt(1.7), {.alignment = kArcFace, .size = {128, 128}}));
  for (int i = 1; i < 128; ++i) {
    for (int channel = 0; channel < 3; ++channel) {
      EXPECT_NEAR(view.at<cv::Vec3b>(64, i)[channel], view.at<cv::Vec3b>(64, i - 1)[channel], 2);
    }
  }
  EXPECT_EQ(view.at<cv::Vec3b>(0, 0)[2], 90);
}

TEST(CutViewTest, RefusesSizesBelowTheCropOrTooLarge) {
  const Image picture{.bgr = PatternImage(1, {640, 480})};
  for (const cv::Size size : {cv::Size(111, 112), cv::Size(112, 100), cv::Size(1025, 112)}) {
    EXPECT_THAT(CutView(picture, FaceAt(1.0), {.alignment = kArcFace, .size = size}),
                StatusIs(StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(CutView(picture, {}, {.alignment = kArcFace, .size = {128, 128}}),
              StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
