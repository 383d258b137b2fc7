// Real photos of strangers, made bad alike, through the running server: none of their pairs may
// come out as a match. tests/bench/degradation_bench.cc measures this at length.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <opencv2/imgcodecs.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/real_server_test.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/test_data.h"
#include "trainer/photos/degradation.h"

namespace facegate {
namespace {

constexpr size_t kStrangers = 6;
// The threshold of the public weights: at most one in two thousand pairs of strangers reaches it.
constexpr float kMinCosine = 0.457F;

struct StrangerPhoto {
  cv::Mat bgr;
  Landmarks landmarks;
};

// One photo each of `count` people of lfw/landmarks.txt, far apart in the list.
std::vector<StrangerPhoto> StrangerPhotos(const std::filesystem::path& data, size_t count) {
  std::ifstream file(data / "lfw/landmarks.txt");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  std::vector<StrangerPhoto> photos;
  for (size_t i = 0; i < count && !lines.empty(); ++i) {
    std::istringstream fields(lines[i * (lines.size() / count)]);
    std::string name;
    fields >> name;
    StrangerPhoto photo{.bgr = cv::imread((data / "lfw/photos" / name).string()),
                        .landmarks = Landmarks(5)};
    for (cv::Point2f& point : photo.landmarks) fields >> point.x >> point.y;
    photos.push_back(std::move(photo));
  }
  return photos;
}

class DegradedPhotosTest : public RealServerTest {
 protected:
  void Start(const std::filesystem::path& data) {
    ASSERT_NO_FATAL_FAILURE(StartServer(data));
    photos_ = StrangerPhotos(data, kStrangers);
    ASSERT_EQ(photos_.size(), kStrangers);
  }

  // Photos of all strangers, degraded alike, as PNG.
  std::vector<std::string> Degraded(const std::string& name) {
    std::vector<std::string> encoded;
    for (size_t i = 0; i < photos_.size(); ++i) {
      RandomStream random(14, i);
      const auto bgr =
          Degrade(photos_[i].bgr, photos_[i].landmarks, *DegradationFromName(name), random);
      EXPECT_THAT(bgr, IsOk());
      if (bgr.ok()) encoded.push_back(Encode(*bgr, ".png"));
    }
    return encoded;
  }

  // DECISION_UNSPECIFIED where there is no answer, as for a photo without a face.
  v1::Decision Compare(const std::string& first, const std::string& second) {
    v1::CompareRequest request;
    for (const auto& [probe, image] : {std::pair(request.mutable_first(), &first),
                                       std::pair(request.mutable_second(), &second)}) {
      probe->set_image(*image);
      probe->set_face_selection(v1::FACE_SELECTION_CENTRAL);
    }
    request.mutable_operating_point()->set_min_cosine(kMinCosine);
    const auto answer = client_->Compare(request);
    if (!answer.ok()) {
      EXPECT_EQ(answer.error().reason, "NO_FACE") << answer.error();
      return v1::DECISION_UNSPECIFIED;
    }
    return answer->decision();
  }

  size_t MatchesOfStrangers(const std::string& degradation) {
    const std::vector<std::string> photos = Degraded(degradation);
    size_t matches = 0;
    for (size_t i = 0; i < photos.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        matches += Compare(photos[i], photos[j]) == v1::DECISION_MATCH ? 1 : 0;
      }
    }
    return matches;
  }

  std::vector<StrangerPhoto> photos_;
};

TEST_F(DegradedPhotosTest, StrangersDoNotMatch) {
  FACEGATE_DATA_OR_SKIP(data);
  ASSERT_NO_FATAL_FAILURE(Start(data));
  for (const char* degradation : {"turn-90", "shrink-20", "brightness-0.05", "blur-8"}) {
    EXPECT_EQ(MatchesOfStrangers(degradation), 0U) << degradation;
  }
}

TEST_F(DegradedPhotosTest, APersonOnHerSideIsStillRecognised) {
  FACEGATE_DATA_OR_SKIP(data);
  ASSERT_NO_FATAL_FAILURE(Start(data));
  const std::vector<std::string> upright = Degraded("clean");
  for (const char* turn : {"turn-90", "turn-180", "turn-270"}) {
    const std::vector<std::string> turned = Degraded(turn);
    for (size_t i = 0; i < turned.size(); ++i) {
      EXPECT_EQ(Compare(upright[i], turned[i]), v1::DECISION_MATCH) << turn << " " << i;
    }
  }
}

}  // namespace
}  // namespace facegate
