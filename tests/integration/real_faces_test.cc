#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "clients/cli/facegate_cli.h"
#include "face/base/file.h"
#include "tests/integration/real_server_test.h"
#include "tests/integration/running_server_test.h"
#include "tests/support/exif_orientation.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/test_data.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RealFacesTest : public RealServerTest {
 protected:
  // The L2 distance of two aligned crops, through Compare.
  double Distance(const fs::path& first, const fs::path& second) {
    v1::CompareRequest request;
    *request.mutable_first() = CropProbe(Bytes(first));
    *request.mutable_second() = CropProbe(Bytes(second));
    request.mutable_operating_point()->set_min_cosine(0.0F);
    const auto answer = client_->Compare(request);
    EXPECT_TRUE(answer.ok()) << answer.error();
    if (!answer.ok()) return -1.0;
    EXPECT_NEAR(answer->cosine(), 1 - answer->distance() * answer->distance() / 2, 1e-5);
    return answer->distance();
  }

  // Compares the central faces of two pictures by Compare.
  float Cosine(const std::string& first, const std::string& second) {
    v1::CompareRequest request;
    request.mutable_first()->set_image(first);
    request.mutable_first()->set_face_selection(v1::FACE_SELECTION_CENTRAL);
    request.mutable_second()->set_image(second);
    request.mutable_second()->set_face_selection(v1::FACE_SELECTION_CENTRAL);
    request.mutable_operating_point()->set_min_cosine(0.0F);
    const auto answer = client_->Compare(request);
    EXPECT_TRUE(answer.ok()) << answer.error();
    return answer.ok() ? answer->cosine() : -1.0F;
  }

  static std::string Bytes(const fs::path& file) {
    const auto bytes = ReadFile(file.string(), 16 << 20);
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    return bytes.ok() ? *bytes : std::string();
  }

  // The program `facegate`; its results are in output_.
  int Facegate(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--server", server_->target()});
    std::ostringstream out;
    std::ostringstream err;
    const int code = cli::RunCli(arguments, out, err, {});
    output_ = out.str() + err.str();
    return code;
  }

  std::string output_;
};

// People with at least `photos` photos, in name order.
std::vector<fs::path> PeopleWith(size_t photos, size_t count, const fs::path& data) {
  std::vector<fs::path> people;
  for (const auto& entry : fs::directory_iterator(data / "lfw/photos")) {
    const auto files = std::distance(fs::directory_iterator(entry.path()), {});
    if (static_cast<size_t>(files) >= photos) people.push_back(entry.path());
  }
  std::sort(people.begin(), people.end());
  people.resize(std::min(people.size(), count));
  return people;
}

std::vector<std::string> PhotosOf(const fs::path& person) {
  std::vector<std::string> photos;
  for (const auto& entry : fs::directory_iterator(person)) photos.push_back(entry.path().string());
  std::sort(photos.begin(), photos.end());
  return photos;
}

// A photo of LFW, cut so that it is not square (an orientation turns the size, too) and of whole
// JPEG blocks.
cv::Mat SomePhoto(const fs::path& data) {
  const cv::Mat photo = cv::imread(PhotosOf(PeopleWith(2, 1, data).at(0)).at(0));
  return photo(cv::Rect(5, 0, 240, 224)).clone();
}

TEST_F(RealFacesTest, GivesTheGoldenDistances) {
  FACEGATE_DATA_OR_SKIP(data);
  ASSERT_NO_FATAL_FAILURE(StartServer(data));
  const fs::path golden = data / "golden";
  EXPECT_NEAR(Distance(golden / "1_001.jpg", golden / "1_002.jpg"), 0.7038, 0.001);
  EXPECT_NEAR(Distance(golden / "1_001.jpg", golden / "2_001.jpg"), 1.3347, 0.001);
  EXPECT_NEAR(Distance(golden / "1_002.jpg", golden / "2_001.jpg"), 1.3845, 0.001);
}

TEST_F(RealFacesTest, SeesAPngUprightInEveryExifOrientation) {
  FACEGATE_DATA_OR_SKIP(data);
  ASSERT_NO_FATAL_FAILURE(StartServer(data));
  const cv::Mat upright = SomePhoto(data);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string stored = Encode(StoredForOrientation(upright, orientation), ".png");
    EXPECT_GE(Cosine(Encode(upright, ".png"), PngWithOrientation(stored, orientation)), 0.999F)
        << "orientation " << orientation;
  }
}

TEST_F(RealFacesTest, SeesAJpegUprightInEveryExifOrientation) {
  FACEGATE_DATA_OR_SKIP(data);
  ASSERT_NO_FATAL_FAILURE(StartServer(data));
  // Grey and at full quality: the compression of a turned picture is another one, mostly in colour,
  // and YuNet's landmarks follow it.
  cv::Mat upright;
  cv::cvtColor(SomePhoto(data), upright, cv::COLOR_BGR2GRAY);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string stored = Encode(StoredForOrientation(upright, orientation), ".jpg", 100);
    EXPECT_GE(Cosine(Encode(upright, ".jpg", 100), JpegWithOrientation(stored, orientation)),
              0.999F)
        << "orientation " << orientation;
  }
}

TEST_F(RealFacesTest, EnrolsAFolderAndFindsItsPeopleFromTheCommandLine) {
  FACEGATE_DATA_OR_SKIP(data);
  ASSERT_NO_FATAL_FAILURE(StartServer(data));
  const std::vector<fs::path> people = PeopleWith(2, 6, data);
  const fs::path folder = dir_.path() / "people";
  fs::create_directories(folder);
  // The last one stays a stranger.
  for (size_t i = 0; i + 1 < people.size(); ++i) {
    fs::create_directory_symlink(people[i], folder / people[i].filename());
  }
  ASSERT_EQ(Facegate({"collection", "create", "lfw", "--min-cosine", "0.4"}), 0) << output_;
  ASSERT_EQ(Facegate({"enroll", "-c", "lfw", "--dir", folder.string(), "--first", "1", "--select",
                      "central"}),
            0)
      << output_;
  EXPECT_THAT(output_, HasSubstr("5 templates of 5 people enrolled"));
  int found = 0;
  for (size_t i = 0; i + 1 < people.size(); ++i) {
    const std::string photo = PhotosOf(people[i]).at(1);
    const bool identified =
        Facegate({"identify", "-c", "lfw", "--select", "central", photo}) == 0 &&
        output_.find(people[i].filename().string()) != std::string::npos;
    const bool verified = Facegate({"verify", "-c", "lfw", "--select", "central",
                                    people[i].filename().string(), photo}) == 0;
    EXPECT_EQ(identified, verified);
    found += identified ? 1 : 0;
  }
  EXPECT_GE(found, 4);
  EXPECT_EQ(
      Facegate({"identify", "-c", "lfw", "--select", "central", PhotosOf(people.back()).at(0)}), 1)
      << output_;
  EXPECT_EQ(server_->Log().find(people[0].filename().string()), std::string::npos)
      << "the log names an identity";
}

}  // namespace
}  // namespace facegate
