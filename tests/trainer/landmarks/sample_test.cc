#include "trainer/landmarks/sample.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <opencv2/core.hpp>
#include <set>
#include <string>

#include "face/base/file.h"
#include "face/detect/landmark_net.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/trainer/landmarks/drawn_faces.h"
#include "trainer/landmarks/preparation.h"
#include "trainer/landmarks/sample_split.h"
#include "trainer/landmarks/view.h"
#include "trainer/measure/photo_person.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

TEST(LandmarkSamplesTest, ComeBackFromTheirFile) {
  LandmarkSamples samples = DrawnSamples(3);
  samples.faces[1].box.reset();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const LandmarkSamples read,
                                ParseSamples(SerializeSamples(samples, "here"), "here"));
  EXPECT_EQ(read.photos, samples.photos);
  ASSERT_EQ(read.faces.size(), samples.faces.size());
  for (size_t i = 0; i < read.faces.size(); ++i) {
    EXPECT_EQ(read.faces[i].photo, samples.faces[i].photo);
    EXPECT_EQ(read.faces[i].jpeg, samples.faces[i].jpeg);
    EXPECT_EQ(read.faces[i].points, samples.faces[i].points);
    EXPECT_EQ(read.faces[i].box, samples.faces[i].box);
    EXPECT_EQ(read.negatives[i].jpeg, samples.negatives[i].jpeg);
    EXPECT_EQ(read.negatives[i].box, samples.negatives[i].box);
  }
}

TEST(LandmarkSamplesTest, AreRefusedWhenMadeFromOtherThingsOrDamaged) {
  const std::string bytes = SerializeSamples(DrawnSamples(1), "here");
  EXPECT_THAT(ParseSamples(bytes, "there"), StatusIs(StatusCode::kFailedPrecondition));
  for (size_t length = 0; length < bytes.size(); length += 37) {
    EXPECT_THAT(ParseSamples(bytes.substr(0, length), "here"),
                StatusIs(StatusCode::kInvalidArgument));
  }
}

TEST(SampleSplitTest, PutsNobodyOnBothSides) {
  LandmarkSamples samples;
  samples.photos.reserve(600);
  for (uint32_t i = 0; i < 600; ++i) {
    samples.photos.push_back(std::to_string(i / 3) + "/" + std::to_string(i) + ".jpg");
    samples.faces.push_back({.photo = i, .jpeg = {}, .points = {}, .box = {}});
    samples.negatives.push_back({.photo = i, .jpeg = {}, .box = {}});
  }
  FACEGATE_ASSERT_OK_AND_ASSIGN(const SampleSplit split, SplitByPerson(samples, 0.25, 7));
  EXPECT_EQ(split.people + split.held_out_people, 200U);
  EXPECT_NEAR(static_cast<double>(split.held_out_people), 50, 20);
  EXPECT_EQ(split.faces.size() + split.held_out_faces.size(), 600U);
  EXPECT_EQ(split.negatives.size() + split.held_out_negatives.size(), 600U);
  std::set<std::string_view> learned_from;
  for (const size_t i : split.faces) {
    learned_from.insert(PersonOf(samples.photos[i]));
    EXPECT_FALSE(IsHeldOut(samples.photos[i], 0.25, 7));
  }
  for (const size_t i : split.held_out_faces) {
    EXPECT_FALSE(learned_from.contains(PersonOf(samples.photos[i])));
  }
  FACEGATE_ASSERT_OK_AND_ASSIGN(const SampleSplit other, SplitByPerson(samples, 0.25, 8));
  EXPECT_NE(split.held_out_faces, other.held_out_faces);
}

TEST(SampleSplitTest, RefusesToLearnFromNobody) {
  EXPECT_THAT(SplitByPerson({}, 0.2, 1), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(SplitByPerson(DrawnSamples(1), 1e-9, 1), StatusIs(StatusCode::kInvalidArgument));
}

TEST(SampleSplitTest, MeasuresHowFramesLieToBoxes) {
  const LandmarkSamples samples = DrawnSamples(4);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto way, MeasureBoxToFrame(samples, {0, 1, 2, 3, 4}));
  EXPECT_NEAR(way[0], 0, 1e-3);
  EXPECT_NEAR(way[1], 0, 1e-3);
  EXPECT_NEAR(way[2], 1, 1e-3);
  LandmarkSamples without = samples;
  for (LandmarkSample& face : without.faces) face.box.reset();
  EXPECT_THAT(MeasureBoxToFrame(without, {0, 1}), StatusIs(StatusCode::kInvalidArgument));
}

// The middle of what is dark near a point of the crop.
cv::Point2d DarknessNear(const cv::Mat& crop, const cv::Point2d& point) {
  const int reach = kLandmarkCropSide / 8;
  const cv::Rect around =
      cv::Rect(cv::Point(point) - cv::Point(reach, reach), cv::Size(2 * reach + 1, 2 * reach + 1)) &
      cv::Rect(0, 0, crop.cols, crop.rows);
  double brightest = 0;
  cv::minMaxLoc(crop(around), nullptr, &brightest);
  cv::Mat darkness;
  crop(around).convertTo(darkness, CV_64F, -1, brightest);
  darkness = darkness.mul(darkness);
  const cv::Moments moments = cv::moments(darkness);
  return cv::Point2d(around.tl()) +
         cv::Point2d(moments.m10, moments.m01) / std::max(moments.m00, 1e-9);
}

TEST(FaceViewTest, TellsWhereTheLandmarksAreInTheCrop) {
  const LandmarkSample face = DrawnFace(1, 5);
  constexpr std::array<ViewJitter, 3> kJitters = {ViewJitter::kCoarse, ViewJitter::kFine,
                                                  ViewJitter::kPlain};
  constexpr double kEdge = kLandmarkCropSide / 10.0;
  size_t near = 0;
  size_t inside = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    RandomStream random(seed, 1);
    FACEGATE_ASSERT_OK_AND_ASSIGN(
        const LandmarkView view,
        FaceView(face, {.jitter = kJitters[seed % 3], .mirrored = seed % 2 == 0}, random));
    EXPECT_TRUE(view.face);
    for (size_t i = 0; i < AverageFace().size(); ++i) {
      const cv::Point2d own =
          AverageFace()[i] +
          kLandmarkUnit * cv::Point2d(view.target[2 * i], view.target[2 * i + 1]);
      const cv::Point2d pixel = own * kLandmarkCropSide - cv::Point2d(0.5, 0.5);
      const double nearest = std::min(pixel.x, pixel.y);
      if (nearest < kEdge || std::max(pixel.x, pixel.y) > kLandmarkCropSide - kEdge) continue;
      ++inside;
      near += cv::norm(DarknessNear(view.crop, pixel) - pixel) < kLandmarkCropSide / 20.0 ? 1 : 0;
    }
  }
  // Noise and what lies in front of the face hide some.
  EXPECT_GT(inside, 150U);
  EXPECT_GT(static_cast<double>(near), 0.8 * static_cast<double>(inside));
}

TEST(FaceViewTest, MirrorsTheCropAndTheLandmarks) {
  const LandmarkSample face = DrawnFace(1, 5);
  const auto draw = [&](bool mirrored) {
    RandomStream random(1, 9);
    return *FaceView(face, {.jitter = ViewJitter::kPlain, .mirrored = mirrored}, random);
  };
  LandmarkView turned = draw(true);
  cv::flip(turned.crop, turned.crop, 1);
  const LandmarkView plain = draw(false);
  EXPECT_EQ(cv::norm(turned.crop, plain.crop), 0);
  // The left eye of the mirrored picture is the right one.
  const double left = AverageFace()[0].x + kLandmarkUnit * turned.target[0];
  const double right = AverageFace()[1].x + kLandmarkUnit * plain.target[2];
  EXPECT_NEAR(left, 1 - right, 1e-5);
}

TEST(FaceViewTest, FollowsFromTheRandomNumbersAlone) {
  const LandmarkSample face = DrawnFace(1, 5);
  const auto draw = [&](uint64_t seed) {
    RandomStream random(seed, 9);
    return *FaceView(face, {}, random);
  };
  EXPECT_EQ(cv::norm(draw(1).crop, draw(1).crop), 0);
  EXPECT_EQ(draw(1).target, draw(1).target);
  EXPECT_GT(cv::norm(draw(1).crop, draw(2).crop), 0);
}

TEST(FaceViewTest, ViewsWithoutAFaceSaySo) {
  RandomStream random(3, 4);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const LandmarkView bad, BadView(DrawnFace(1, 5), random));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const LandmarkView none, NegativeView(DrawnNegative(1, 5), random));
  EXPECT_FALSE(bad.face);
  EXPECT_FALSE(none.face);
  EXPECT_EQ(none.crop.size(), cv::Size(kLandmarkCropSide, kLandmarkCropSide));
  LandmarkSample damaged = DrawnFace(1, 5);
  damaged.jpeg = "no picture";
  EXPECT_THAT(BadView(damaged, random).status(), StatusIs(StatusCode::kInvalidArgument));
}

TEST(PreparationTest, CutsThePatchSoThatTheLandmarksStayOnTheirPixels) {
  // A binary PGM with the face of DrawnFace at three times its size.
  const TempDir dir;
  const LandmarkSample face = DrawnFace(1, 5);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const cv::Mat small, DecodePatch(face.jpeg));
  cv::Mat large;
  cv::resize(small, large, {}, 3, 3, cv::INTER_LINEAR);
  std::string pgm = "P5\n384 384\n255\n";
  pgm.append(large.ptr<char>(), large.total());
  ASSERT_THAT(WriteFileAtomically(dir.File("a.pgm"), pgm), IsOk());
  Landmarks points;
  for (const cv::Point2f& point : face.points) {
    points.push_back((point + cv::Point2f(0.5F, 0.5F)) * 3 - cv::Point2f(0.5F, 0.5F));
  }
  size_t seen = 0;
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const LandmarkSamples samples,
      PrepareSamples({{"a.pgm", points}}, {.photos = dir.path().string(), .threads = 2},
                     [&] { ++seen; }));
  EXPECT_EQ(seen, 1U);
  ASSERT_EQ(samples.faces.size(), 1U);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const cv::Mat patch, DecodePatch(samples.faces[0].jpeg));
  for (const cv::Point2f& point : samples.faces[0].points) {
    EXPECT_LT(cv::norm(DarknessNear(patch, point) - cv::Point2d(point)), 1.5);
  }
}

TEST(PreparationTest, NamesAPhotoThatIsNone) {
  const TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.File("text.jpg"), "no photo"), IsOk());
  const auto samples = PrepareSamples({{"text.jpg", DrawnFace(1, 5).points}},
                                      {.photos = dir.path().string()}, [] {});
  ASSERT_FALSE(samples.ok());
  EXPECT_THAT(std::string(MessageOf(samples.status())), HasSubstr("text.jpg"));
}

}  // namespace
}  // namespace facegate
