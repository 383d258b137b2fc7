// The landmark network that is delivered, on photos of people whom it did not learn from.
#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "face/detect/landmark_cascade.h"
#include "face/image/decode.h"
#include "face/image/opencv_threads.h"
#include "face/weights/landmark_file.h"
#include "face/weights/safetensors.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_data.h"
#include "trainer/embeddings/face_cutter.h"
#include "trainer/landmarks/held_out_check.h"
#include "trainer/landmarks/sample_split.h"

namespace facegate {
namespace {

constexpr double kHeldOut = 0.2;
constexpr uint64_t kSeed = 1;

std::string WeightFile() {
  return (std::filesystem::path(FACEGATE_SOURCE_DIR) / "deploy/models/landmarks.safetensors")
      .string();
}

StatusOr<std::unique_ptr<Detector>> LoadDetector() {
  FACEGATE_ASSIGN_OR_RETURN(LandmarkWeights weights, ReadLandmarkWeights(WeightFile()));
  return CreateLandmarkCascadeDetector({}, std::move(weights));
}

// Every `step`-th photo of those who are held out.
StatusOr<OrderedLandmarks> HeldOutPhotos(const std::filesystem::path& data, size_t step) {
  FACEGATE_ASSIGN_OR_RETURN(const LandmarkTable table,
                            ReadLandmarks((data / "lfw/landmarks.txt").string()));
  OrderedLandmarks all;
  for (const auto& [name, points] : table) {
    if (IsHeldOut(name, kHeldOut, kSeed)) all.emplace(name, points);
  }
  OrderedLandmarks chosen;
  size_t number = 0;
  for (const auto& one : all) {
    if (number++ % step == 0) chosen.insert(one);
  }
  return chosen;
}

class LandmarkGoldenTest : public testing::Test {
 protected:
  void SetUp() override { SetOpenCvThreads(1); }
};

TEST_F(LandmarkGoldenTest, TheDeliveredFileIsSmallAndSaysWhatItWasTrainedOn) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadFile(WeightFile(), 500'000));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Safetensors file, ParseSafetensors(bytes));
  EXPECT_THAT(file.metadata.at("command"), testing::HasSubstr("--held-out 0.2 --seed 1"));
  EXPECT_THAT(file.metadata.at("training_data"), testing::HasSubstr("Labeled Faces in the Wild"));
  for (const char* key : {"licence", "held_out_found", "held_out_median_error"}) {
    EXPECT_FALSE(file.metadata.at(key).empty()) << key;
  }
  ASSERT_THAT(LoadDetector().status(), IsOk());
}

TEST_F(LandmarkGoldenTest, FindsLandmarksOfPeopleItDidNotLearnFrom) {
  FACEGATE_DATA_OR_SKIP(data);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto detector, LoadDetector());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const OrderedLandmarks photos, HeldOutPhotos(data, 8));
  ASSERT_GE(photos.size(), 150U);
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const LandmarkErrors errors,
      CheckDetector(*detector, (data / "lfw/photos").string(), photos, [] {}));
  EXPECT_GE(errors.found_share(), 0.97);
  // 4.94 and 8.78 % on all of them. The given landmarks are YuNet's at 320 pixels; at other sizes
  // YuNet itself is 5.4 to 6.6 % away from them (landmark_bench).
  EXPECT_LT(errors.point_median, 0.052);
  EXPECT_LT(errors.ninetieth, 0.095);
}

TEST_F(LandmarkGoldenTest, GivesTheSameFacesFromManyThreads) {
  FACEGATE_DATA_OR_SKIP(data);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto detector, LoadDetector());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const OrderedLandmarks photos, HeldOutPhotos(data, 200));
  std::vector<Image> images;
  std::vector<Landmarks> expected;
  images.reserve(photos.size());
  expected.reserve(photos.size());
  for (const auto& one : photos) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string bytes,
                                  ReadFile((data / "lfw/photos" / one.first).string(), 1 << 20));
    FACEGATE_ASSERT_OK_AND_ASSIGN(images.emplace_back(), DecodeImage(bytes, {}));
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto faces, detector->Detect(images.back()));
    ASSERT_FALSE(faces.empty());
    expected.push_back(faces[0].landmarks);
  }
  std::atomic<int> differences = 0;
  {
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (size_t i = 0; i < images.size(); ++i) {
          const size_t which = (i + t) % images.size();
          const auto faces = detector->Detect(images[which]);
          const bool same =
              faces.ok() && !faces->empty() && (*faces)[0].landmarks == expected[which];
          if (!same) ++differences;
        }
      });
    }
  }
  EXPECT_EQ(differences, 0);
}

}  // namespace
}  // namespace facegate
