// The gate and the turns on real photos.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <opencv2/imgproc.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "face/detect/landmark_cascade.h"
#include "face/detect/quality_meter.h"
#include "face/detect/selection.h"
#include "face/detect/upright_detector.h"
#include "face/detect/yunet.h"
#include "face/image/decode.h"
#include "face/image/opencv_threads.h"
#include "face/weights/bundled_landmarks.h"
#include "face/weights/bundled_quality.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_data.h"

namespace facegate {
namespace {

// Every `step`-th photo of landmarks.txt.
std::vector<Image> PhotosOfList(const std::filesystem::path& data, int step) {
  std::ifstream file(data / "lfw" / "landmarks.txt");
  std::vector<Image> photos;
  std::string line;
  for (int number = 0; std::getline(file, line); ++number) {
    if (number % step != 0) continue;
    std::istringstream fields(line);
    std::string path;
    fields >> path;
    const auto bytes = ReadFile((data / "lfw" / "photos" / path).string(), 1 << 20);
    EXPECT_THAT(bytes.status(), IsOk());
    auto image = DecodeImage(*bytes, {});
    EXPECT_THAT(image.status(), IsOk());
    photos.push_back(*std::move(image));
  }
  return photos;
}

StatusOr<std::unique_ptr<Detector>> UprightDetectorOf(const std::filesystem::path& data,
                                                      bool yunet) {
  FACEGATE_ASSIGN_OR_RETURN(LandmarkWeights weights, BundledLandmarkWeights());
  auto plain =
      yunet
          ? CreateYuNetDetector({.model_path = (data / "detectors/yunet_n_dynamic.onnx").string()})
          : CreateLandmarkCascadeDetector({}, weights);
  FACEGATE_RETURN_IF_ERROR(plain.status());
  return CreateUprightDetector(*std::move(plain), std::move(weights));
}

StatusOr<std::unique_ptr<QualityMeter>> BundledMeter() {
  FACEGATE_ASSIGN_OR_RETURN(LandmarkWeights landmarks, BundledLandmarkWeights());
  FACEGATE_ASSIGN_OR_RETURN(QualityWeights quality, BundledQualityWeights());
  return CreateQualityMeter(std::move(landmarks), std::move(quality));
}

class PhotoQualityTest : public testing::Test {
 protected:
  void SetUp() override { SetOpenCvThreads(1); }

  // Counts the photos that have a central face of at least the default quality.
  static size_t FitOnes(Detector& detector, const QualityMeter& meter,
                        const std::vector<Image>& photos) {
    size_t fit = 0;
    for (const Image& photo : photos) {
      const auto faces = detector.Detect(photo);
      EXPECT_THAT(faces.status(), IsOk());
      const auto central = SelectFaces(*faces, {FaceSelection::kCentral, {}}, photo.bgr.size());
      if (!central.ok()) continue;
      const auto quality = meter.OfFace(photo, central->front());
      EXPECT_THAT(quality.status(), IsOk());
      fit += quality->score >= kDefaultProbeQuality ? 1 : 0;
    }
    return fit;
  }
};

TEST_F(PhotoQualityTest, TurnedPhotosGiveTheFacesOfUprightOnes) {
  FACEGATE_DATA_OR_SKIP(data);
  const std::vector<Image> photos = PhotosOfList(data, 1200);
  for (const bool yunet : {true, false}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto detector, UprightDetectorOf(data, yunet));
    for (const auto& [code, turns] :
         {std::pair(cv::ROTATE_90_CLOCKWISE, 3), std::pair(cv::ROTATE_180, 2),
          std::pair(cv::ROTATE_90_COUNTERCLOCKWISE, 1)}) {
      size_t right = 0;
      for (const Image& photo : photos) {
        Image turned;
        cv::rotate(photo.bgr, turned.bgr, code);
        FACEGATE_ASSERT_OK_AND_ASSIGN(const auto faces, detector->Detect(turned));
        const auto central = SelectFaces(faces, {FaceSelection::kCentral, {}}, turned.bgr.size());
        right += central.ok() && central->front().quarter_turns == turns ? 1 : 0;
      }
      EXPECT_GE(right, photos.size() - 1) << detector->name() << ", " << turns << " turns";
    }
  }
}

TEST_F(PhotoQualityTest, NarrowCropsAreMeasuredAsWideOnesOfTheSameFaces) {
  FACEGATE_DATA_OR_SKIP(data);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto detector, UprightDetectorOf(data, true));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto meter, BundledMeter());
  for (const Image& photo : PhotosOfList(data, 600)) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto faces, detector->Detect(photo));
    FACEGATE_ASSERT_OK_AND_ASSIGN(
        const auto central, SelectFaces(faces, {FaceSelection::kCentral, {}}, photo.bgr.size()));
    const auto quality_of = [&](AlignmentTemplate alignment) -> StatusOr<FaceQuality> {
      FACEGATE_ASSIGN_OR_RETURN(const AlignedFace crop,
                                AlignFace(photo, central.front().landmarks, alignment));
      return meter->OfCrop(crop, alignment);
    };
    FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality wide,
                                  quality_of(AlignmentTemplate::kArcFace112));
    FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality narrow,
                                  quality_of(AlignmentTemplate::kSphereFace96x112));
    ASSERT_EQ(wide.components.size(), narrow.components.size());
    for (size_t i = 0; i < wide.components.size(); ++i) {
      EXPECT_NEAR(wide.components[i].quality, narrow.components[i].quality, 0.1)
          << QualityName(wide.components[i].component);
    }
  }
}

TEST_F(PhotoQualityTest, CleanPhotosAreFitAndRuinedOnesAreNot) {
  FACEGATE_DATA_OR_SKIP(data);
  const std::vector<Image> photos = PhotosOfList(data, 250);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto detector, UprightDetectorOf(data, true));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto meter, BundledMeter());
  EXPECT_GE(FitOnes(*detector, *meter, photos), photos.size() - 1);
  std::vector<Image> tiny;
  std::vector<Image> dark;
  std::vector<Image> blurred;
  std::vector<Image> noisy;
  cv::RNG random(1);
  for (const Image& photo : photos) {
    cv::Mat changed;
    cv::resize(photo.bgr, changed, {20, 20}, 0, 0, cv::INTER_AREA);
    tiny.push_back({.bgr = changed.clone()});
    dark.push_back({.bgr = photo.bgr * 0.05});
    cv::GaussianBlur(photo.bgr, changed, {0, 0}, 8);
    blurred.push_back({.bgr = changed.clone()});
    cv::Mat noise(photo.bgr.size(), CV_16SC3);
    random.fill(noise, cv::RNG::NORMAL, 0, 80);
    cv::add(photo.bgr, noise, changed, cv::noArray(), CV_8U);
    noisy.push_back({.bgr = changed.clone()});
  }
  EXPECT_EQ(FitOnes(*detector, *meter, tiny), 0U);
  EXPECT_EQ(FitOnes(*detector, *meter, dark), 0U);
  EXPECT_EQ(FitOnes(*detector, *meter, blurred), 0U);
  EXPECT_LE(FitOnes(*detector, *meter, noisy), 1U);
}

}  // namespace
}  // namespace facegate
