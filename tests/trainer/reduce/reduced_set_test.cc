#include "trainer/reduce/reduced_set.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "face/base/file.h"
#include "tests/support/nearest_rcan.h"
#include "tests/support/same_pixels.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/temp_dir.h"
#include "trainer/enlarge/bicubic.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ReducedSetTest : public ::testing::Test {
 protected:
  ReducedSetTest() {
    Write("in/anna/1.png", Encode(SyntheticCrop(1), ".png"));
    Write("in/anna/2.png", Encode(SyntheticCrop(2)(cv::Rect(0, 0, 50, 46)), ".png"));
    Write("in/bert/1.png", Encode(SyntheticCrop(3), ".png"));
    options_.sources = {dir_.File("in")};
    options_.out = dir_.File("out");
    options_.scales = {2, 4};
    options_.threads = 2;
  }
  void Write(const std::string& name, const std::string& bytes) {
    fs::create_directories(fs::path(dir_.File(name)).parent_path());
    ASSERT_THAT(WriteFileAtomically(dir_.File(name), bytes), IsOk());
  }
  StatusOr<ReducedSetReport> Run() { return ReducePhotos(options_, events_); }
  cv::Mat Picture(const std::string& name) { return cv::imread(dir_.File("out/" + name)); }
  bool Exists(const std::string& name) { return fs::exists(dir_.File("out/" + name)); }

  const TempDir dir_;
  ReducedSetOptions options_;
  PhotoJobEvents events_;
};

TEST_F(ReducedSetTest, WritesPairsOfLargeAndExactBicubicSmallPictures) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ReducedSetReport report, Run());
  EXPECT_EQ(report.photos, 3u);
  EXPECT_EQ(report.identities, 2u);
  EXPECT_EQ(report.cut, 1u);
  EXPECT_TRUE(SamePixels(Picture("HR/bert/1.png"), SyntheticCrop(3)));
  for (const int scale : {2, 4}) {
    const std::string name = fmt::format("LR_bicubic/X{0}/bert/1x{0}.png", scale);
    EXPECT_TRUE(
        SamePixels(Picture(name), ResizedBicubic(SyntheticCrop(3), {112 / scale, 112 / scale})))
        << name;
  }
  // 4 divides its sides.
  EXPECT_EQ(Picture("HR/anna/2.png").size(), cv::Size(48, 44));
  EXPECT_EQ(Picture("LR_bicubic/X4/anna/2x4.png").size(), cv::Size(12, 11));
  EXPECT_FALSE(Exists(".unfinished"));
}

TEST_F(ReducedSetTest, NumbersPicturesWhereItIsFlat) {
  options_.flat = true;
  ASSERT_THAT(Run(), IsOk());
  EXPECT_TRUE(SamePixels(Picture("HR/000003.png"), SyntheticCrop(3)));
  EXPECT_EQ(Picture("LR_bicubic/X2/000003x2.png").size(), cv::Size(56, 56));
}

TEST_F(ReducedSetTest, ANetworkEnlargesTheSmallPicturesOfItsScale) {
  options_.network = dir_.File("sr.safetensors");
  ASSERT_THAT(WriteSuperResolutionFile(options_.network, NearestRcan(4)), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ReducedSetReport report, Run());
  EXPECT_EQ(report.enlarged, 4);
  cv::Mat expected;
  cv::resize(Picture("LR_bicubic/X4/anna/1x4.png"), expected, {112, 112}, 0, 0, cv::INTER_NEAREST);
  EXPECT_TRUE(SamePixels(Picture("SR/X4/anna/1.png"), expected));
  EXPECT_FALSE(Exists("SR/X2"));
}

TEST_F(ReducedSetTest, GoesOnWhereItStoppedAndMendsWhatIsTorn) {
  ASSERT_THAT(Run(), IsOk());
  fs::remove(dir_.File("out/LR_bicubic/X2/anna/1x2.png"));
  const std::string whole = ReadFile(dir_.File("out/HR/bert/1.png"), 1 << 20).value();
  Write("out/HR/bert/1.png", whole.substr(0, whole.size() / 2));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ReducedSetReport report, Run());
  EXPECT_EQ(report.photos, 3u);
  EXPECT_EQ(report.kept, 1u);
  EXPECT_TRUE(Exists("LR_bicubic/X2/anna/1x2.png"));
  EXPECT_TRUE(SamePixels(Picture("HR/bert/1.png"), SyntheticCrop(3)));
}

TEST_F(ReducedSetTest, LeavesOutWhatIsNoPhotoOrTooSmallAndNamesIt) {
  Write("in/anna/3.png", "no picture");
  Write("in/anna/4.png", Encode(SyntheticCrop(4)(cv::Rect(0, 0, 15, 40)), ".png"));
  std::vector<std::string> bad;
  events_.bad_photo = [&](const Status& status) { bad.emplace_back(MessageOf(status)); };
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ReducedSetReport report, Run());
  EXPECT_EQ(report.bad, 2u);
  ASSERT_EQ(bad.size(), 2u);
  EXPECT_THAT(bad[0], HasSubstr("3.png"));
  EXPECT_THAT(bad[1], HasSubstr("15 x 40 pixels, too few to become 4 times smaller"));
}

TEST_F(ReducedSetTest, RefusesFoldersThatHoldAnythingElse) {
  Write("out/mine.txt", "mine");
  EXPECT_THAT(Run(), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_FALSE(Exists("HR"));
  options_.out = dir_.File("in/anna/small");
  EXPECT_THAT(Run().status().ToString(), HasSubstr("it would be taken for photos"));
}

TEST_F(ReducedSetTest, RefusesToGoOnWithOtherScalesOrPhotos) {
  ASSERT_THAT(Run(), IsOk());
  options_.scales = {2};
  EXPECT_THAT(Run().status().ToString(), HasSubstr("scales is [2,4] there and [2] now"));
  options_.scales = {2, 4};
  Write("in/bert/2.png", Encode(SyntheticCrop(5), ".png"));
  EXPECT_THAT(Run(), StatusIs(StatusCode::kFailedPrecondition));
}

TEST_F(ReducedSetTest, RefusesToGoOnWithOtherPhotosOfTheSameNames) {
  ASSERT_THAT(Run(), IsOk());
  Write("in/bert/1.png", Encode(SyntheticCrop(5)(cv::Rect(0, 0, 96, 96)), ".png"));
  EXPECT_THAT(Run(), StatusIs(StatusCode::kFailedPrecondition));
}

// As folders were begun before their records had the sizes of photos.
TEST_F(ReducedSetTest, ARecordWithoutSizesIsGoneOnWithAndGetsThem) {
  ASSERT_THAT(Run(), IsOk());
  const std::string whole = ReadFile(dir_.File("out/reduce.json"), 1 << 20).value();
  auto record = nlohmann::ordered_json::parse(whole);
  Write("out/reduce.json", nlohmann::json{{"facegate_reduce", 1},
                                          {"scales", options_.scales},
                                          {"flat", false},
                                          {"network", ""},
                                          {"photos", 3},
                                          {"names_of_photos", record["names_of_photos"]}}
                               .dump());
  EXPECT_THAT(Run(), IsOk());
  EXPECT_EQ(ReadFile(dir_.File("out/reduce.json"), 1 << 20).value(), whole);
}

TEST_F(ReducedSetTest, ARunThatWroteNothingLeavesRoomForAnother) {
  options_.scales = {2, 3, 16};
  std::vector<std::string> bad;
  events_.bad_photo = [&](const Status& status) { bad.emplace_back(MessageOf(status)); };
  Write("in/bert/1.png", Encode(SyntheticCrop(3)(cv::Rect(0, 0, 90, 90)), ".png"));
  fs::remove_all(dir_.File("in/anna"));
  EXPECT_THAT(Run(), StatusIs(StatusCode::kInvalidArgument));
  ASSERT_EQ(bad.size(), 1u);
  EXPECT_THAT(bad[0], HasSubstr("sides that 48 divides leave 48 of the shorter, expected 64"));
  EXPECT_FALSE(Exists("reduce.json"));
  options_.scales = {2};
  EXPECT_THAT(Run(), IsOk());
}

TEST_F(ReducedSetTest, APictureThatTheNetworkCannotEnlargeIsLeftOut) {
  Write("in/anna/black.png", Encode(cv::Mat::zeros(112, 112, CV_8UC3), ".png"));
  options_.network = dir_.File("sr.safetensors");
  // All but black is beyond what a float can be.
  constexpr float kHuge = 3e38F;
  ASSERT_THAT(
      WriteSuperResolutionFile(options_.network, NearestRcan(4, 255.0, {kHuge, kHuge, kHuge})),
      IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ReducedSetReport report, Run());
  EXPECT_EQ(report.photos, 1u);
  EXPECT_EQ(report.bad, 3u);
  EXPECT_TRUE(Exists("SR/X4/anna/black.png"));
  EXPECT_FALSE(Exists("HR/bert/1.png"));
}

// Beside it lies what align would call its quarantine.
TEST_F(ReducedSetTest, NamesNoOptionThatItDoesNotHave) {
  options_.sources = {dir_.File("out.quarantine")};
  fs::rename(dir_.File("in"), dir_.File("out.quarantine"));
  EXPECT_THAT(Run(), IsOk());
}

TEST_F(ReducedSetTest, RefusesScalesWithoutMeaningAndANetworkOfAnother) {
  for (const std::vector<int>& scales : {std::vector<int>{}, {1}, {17}, {2, 2}}) {
    options_.scales = scales;
    EXPECT_EQ(FieldOf(Run().status()), "--scale");
  }
  options_.scales = {2};
  options_.network = dir_.File("sr.safetensors");
  ASSERT_THAT(WriteSuperResolutionFile(options_.network, NearestRcan(4)), IsOk());
  EXPECT_EQ(FieldOf(Run().status()), "--super-resolution");
}

}  // namespace
}  // namespace facegate
