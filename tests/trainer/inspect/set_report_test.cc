#include "trainer/inspect/set_report.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <opencv2/imgproc.hpp>

#include "tests/support/pack_bytes.h"
#include "tests/support/photo_folder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/inspect/verdict.h"
#include "trainer/photos/open_dataset.h"

namespace facegate {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class SetReportTest : public ::testing::Test {
 protected:
  SetReport Inspect(const std::string& name, int threads = 2) {
    const InspectOptions options{.path = dir_.File(name), .threads = threads};
    const auto source = OpenPhotoSource(options.path, "");
    EXPECT_THAT(source, IsOk());
    auto report = InspectSet(options, **source, {});
    EXPECT_THAT(report, IsOk());
    return *std::move(report);
  }
  void Write(const std::string& name, uint64_t seed, cv::Size size = {112, 112}) {
    WriteBytes(dir_.File(name), EncodePng(SmoothNoise(seed, size)));
  }
  static std::vector<std::string> Texts(const SetReport& report) {
    std::vector<std::string> texts;
    for (const Finding& finding : JudgeSet(report)) {
      texts.push_back(std::string(FindingName(finding.weight)) + ": " + finding.text);
    }
    return texts;
  }

  TempDir dir_;
};

TEST_F(SetReportTest, CountsPhotosSizesAndFormats) {
  Write("faces/a/1.png", 1);
  Write("faces/a/2.png", 2);
  Write("faces/a/3.png", 3, {96, 112});
  Write("faces/b/1.png", 4);
  const SetReport report = Inspect("faces");
  EXPECT_EQ(report.photos, 4u);
  EXPECT_EQ(report.identities, 2u);
  EXPECT_EQ(report.per_identity.least, 1u);
  EXPECT_EQ(report.per_identity.median, 2.0);
  EXPECT_EQ(report.per_identity.most, 3u);
  EXPECT_EQ(report.per_identity.single, 1u);
  ASSERT_THAT(report.sizes, SizeIs(2));
  EXPECT_EQ(report.sizes[0], std::pair(std::pair(112, 112), size_t{3}));
  EXPECT_THAT(report.formats, ElementsAre(std::pair(ImageFormat::kPng, size_t{4})));
  EXPECT_THAT(report.unreadable, IsEmpty());
  EXPECT_THAT(report.duplicates, IsEmpty());
  EXPECT_THAT(Texts(report), Contains(HasSubstr("warning: 1 of 2 identities")));
}

TEST_F(SetReportTest, NamesUnreadablePhotosAndEmptyFolders) {
  Write("faces/a/1.png", 1);
  WriteBytes(dir_.File("faces/a/2.png"), "no picture");
  WriteBytes(dir_.File("faces/b/1.jpg"), "");
  WriteBytes(dir_.File("faces/c/notes.txt"), "none");
  for (const int threads : {1, 5}) {
    const SetReport report = Inspect("faces", threads);
    ASSERT_THAT(report.unreadable, SizeIs(2));
    EXPECT_EQ(report.unreadable[0].name, dir_.File("faces/a/2.png"));
    EXPECT_THAT(report.unreadable[0].reason, Not(IsEmpty()));
    EXPECT_EQ(report.unreadable[1].name, dir_.File("faces/b/1.jpg"));
    EXPECT_THAT(report.empty_identities, ElementsAre("c"));
    EXPECT_THAT(Texts(report)[0], HasSubstr("error: 2 photos cannot be read"));
  }
}

TEST_F(SetReportTest, FindsTheSamePictureUnderSeveralIdentities) {
  Write("faces/a/1.png", 1);
  Write("faces/b/1.png", 1);
  Write("faces/b/2.png", 2);
  cv::Mat larger;
  cv::resize(SmoothNoise(2), larger, {180, 180}, 0, 0, cv::INTER_CUBIC);
  WriteBytes(dir_.File("faces/c/1.png"), EncodePng(larger));
  const SetReport report = Inspect("faces");
  EXPECT_EQ(CountDuplicates(report, true, true).groups, 1u);
  EXPECT_EQ(CountDuplicates(report, false, true).groups, 1u);
  EXPECT_EQ(CountDuplicates(report, true, false).groups, 0u);
  const auto texts = Texts(report);
  EXPECT_THAT(texts, Contains(HasSubstr("error: 1 picture is under several identities")));
  EXPECT_THAT(texts, Contains(HasSubstr("warning: 1 picture is nearly alike")));
}

TEST_F(SetReportTest, FindsGapsOfLabels) {
  Write("1.png", 1);
  Write("2.png", 2);
  WriteBytes(dir_.File("list.txt"), "1.png 1\n2.png 5\n");
  const SetReport report = Inspect("list.txt");
  ASSERT_TRUE(report.labels.has_value());
  EXPECT_EQ(report.labels->first, 1);
  EXPECT_EQ(report.labels->last, 5);
  EXPECT_THAT(report.labels->first_missing, ElementsAre(2, 3, 4));
  EXPECT_THAT(Texts(report), Contains(HasSubstr("note: Labels begin at 1")));
  EXPECT_THAT(Texts(report), Contains(HasSubstr("note: 3 labels between 1 and 5")));
}

TEST(LabelNumbersTest, ManyMissingNumbersCostNothing) {
  const auto extremes = NumbersOfLabels({std::to_string(std::numeric_limits<int64_t>::min()),
                                         std::to_string(std::numeric_limits<int64_t>::max())});
  ASSERT_TRUE(extremes.has_value());
  EXPECT_EQ(extremes->missing, UINT64_MAX - 1);
  EXPECT_THAT(extremes->first_missing, SizeIs(10));
  EXPECT_EQ(NumbersOfLabels({"1", "anna"}), std::nullopt);
  EXPECT_EQ(NumbersOfLabels({}), std::nullopt);
}

TEST(PhotosPerIdentityTest, MedianMeanAndHistogram) {
  const PhotosPerIdentity per = CountPhotos({1, 0, 4, 3, 2000});
  EXPECT_EQ(per.least, 1u);
  EXPECT_EQ(per.median, 3.5);
  EXPECT_EQ(per.mean, 502.0);
  EXPECT_EQ(per.most, 2000u);
  EXPECT_EQ(per.histogram[0].identities, 1u);
  EXPECT_EQ(per.histogram[1].identities, 2u);
  EXPECT_EQ(per.histogram.back().identities, 1u);
  EXPECT_EQ(CountPhotos({}).most, 0u);
}

TEST_F(SetReportTest, SuspectsSwappedColoursAndGreySets) {
  for (int i = 0; i < 3; ++i) {
    cv::Mat skin(112, 112, CV_8UC3, cv::Scalar(200, 140, 110 + i));
    skin.row(i).setTo(cv::Scalar(0, 0, 0));
    WriteBytes(dir_.File(fmt::format("blue/p{}/1.png", i)), EncodePng(skin));
    cv::Mat grey;
    cv::cvtColor(SmoothNoise(static_cast<uint64_t>(i)), grey, cv::COLOR_BGR2GRAY);
    WriteBytes(dir_.File(fmt::format("grey/p{}/1.png", i)), EncodePng(grey));
  }
  EXPECT_THAT(Texts(Inspect("blue")), Contains(HasSubstr("red and blue were probably swapped")));
  const SetReport grey = Inspect("grey");
  EXPECT_EQ(grey.grey, 3u);
  EXPECT_THAT(Texts(grey), Contains(HasSubstr("All photos are grey")));
}

TEST_F(SetReportTest, PhotosOfOtherSizesAreNoCrops) {
  Write("faces/a/1.png", 1, {250, 250});
  Write("faces/b/1.png", 2, {250, 250});
  EXPECT_THAT(Texts(Inspect("faces")),
              Contains(HasSubstr("not aligned crops of 112 x 112 pixels")));
}

TEST_F(SetReportTest, NamesTheCommandThatMakesCrops) {
  Write("my faces/a/1.png", 1, {250, 250});
  Write("my faces/b/1.png", 2, {250, 250});
  const std::string path = dir_.File("my faces");
  EXPECT_THAT(Texts(Inspect("my faces")),
              Contains(HasSubstr(fmt::format("facegate-train align '{0}' '{0}-aligned'.", path))));
}

TEST_F(SetReportTest, SaysHowCropsOfSphereFaceAreTrainedOn) {
  Write("faces/a/1.png", 1, {96, 112});
  Write("faces/b/1.png", 2, {96, 112});
  const auto texts = Texts(Inspect("faces"));
  EXPECT_THAT(texts, Contains(HasSubstr("data.alignment sphereface-96x112")));
  EXPECT_THAT(texts, Not(Contains(HasSubstr("not aligned crops"))));
}

TEST_F(SetReportTest, ChecksTheDigestOfAPack) {
  const std::string png = EncodePng(SmoothNoise(1));
  const std::string pack = PackBytes({{.label = 0, .name = "a/1", .image = png}}, {"a"});
  WriteBytes(dir_.File("set.pack"), pack);
  EXPECT_TRUE(Inspect("set.pack").pack_digest.has_value());
  std::string damaged = pack;
  damaged[60] ^= 1;
  WriteBytes(dir_.File("set.pack"), damaged);
  const SetReport report = Inspect("set.pack");
  ASSERT_THAT(report.unreadable, SizeIs(1));
  EXPECT_THAT(report.unreadable[0].reason, HasSubstr("checksum"));
}

}  // namespace
}  // namespace facegate
