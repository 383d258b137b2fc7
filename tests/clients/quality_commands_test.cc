// The program tells of faces that are not fit to be compared; the photo of '~' is too small.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "clients/cli/quality_text.h"
#include "clients/cli/sheet.h"
#include "tests/clients/cli_fixture.h"

namespace facegate::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kComeCloser[] = "come closer: 7.1 px between the eyes, 12 wanted";

v1::QualityShortcoming ShortcomingOf(const std::string& name, float value, float wanted) {
  v1::QualityShortcoming shortcoming;
  shortcoming.set_name(name);
  shortcoming.set_value(value);
  shortcoming.set_wanted(wanted);
  shortcoming.set_advice("do it");
  return shortcoming;
}

TEST(QualityTextTest, SaysWhatToDoAndWhatIsWanted) {
  EXPECT_EQ(DescribeShortcoming(ShortcomingOf("inter_eye_distance", 7.13F, 12)),
            "do it: 7.1 px between the eyes, 12 wanted");
}

TEST(QualityTextTest, SaysThatLessIsWanted) {
  EXPECT_EQ(DescribeShortcoming(ShortcomingOf("under_exposure", 0.9F, 0.85F)),
            "do it: 90 % of the face nearly black, at most 85 % wanted");
}

TEST(QualityTextTest, TakesAnglesByTheirSize) {
  EXPECT_EQ(DescribeShortcoming(ShortcomingOf("head_yaw", -65, -60)),
            "do it: head turned by 65 degrees, at most 60 wanted");
}

TEST(QualityTextTest, SaysWhatALaterServerMeasuresByItsName) {
  EXPECT_EQ(DescribeShortcoming(ShortcomingOf("mouth_closed", 0.25F, 0.5F)),
            "do it: mouth closed 0.25, 0.5 wanted");
}

class QualityCommandsTest : public FacegateCliTest {
 protected:
  QualityCommandsTest() : small_(Photo("small.jpg", "~")), good_(Photo("a.jpg", "a")) {}

  const std::string small_;
  const std::string good_;
};

TEST_F(QualityCommandsTest, VerifySaysWhyItIsInconclusive) {
  ASSERT_EQ(Run({"enroll", "1017", good_}).code, 0);
  const auto result = Run({"verify", "1017", small_, good_});
  EXPECT_EQ(result.code, 1) << "an inconclusive photo is no match";
  EXPECT_THAT(result.out, HasSubstr("INCONCLUSIVE       -"));
  EXPECT_THAT(result.out, HasSubstr("small.jpg: " + std::string(kComeCloser) + "\n"));
  EXPECT_THAT(result.out, HasSubstr("quality 0.25"));
}

TEST_F(QualityCommandsTest, IdentifySaysWhichFaceIsInconclusiveAndWhy) {
  const auto result = Run({"identify", small_});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.out, HasSubstr("INCONCLUSIVE"));
  EXPECT_THAT(result.out, HasSubstr("small.jpg, face 1: " + std::string(kComeCloser) + "\n"));
}

TEST_F(QualityCommandsTest, CompareSaysWhichPhotoIsUnfit) {
  const auto result = Run({"compare", good_, small_});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.out, ::testing::StartsWith("INCONCLUSIVE\n"));
  EXPECT_THAT(result.out, HasSubstr("small.jpg: " + std::string(kComeCloser) + "\n"));
  EXPECT_THAT(result.out, Not(HasSubstr("cosine")));
  EXPECT_THAT(result.out, Not(HasSubstr("a.jpg:")));
}

TEST_F(QualityCommandsTest, ComparePassesOnWhatIsWanted) {
  EXPECT_EQ(Run({"compare", "--probe-quality", "0", small_, small_}).code, 0);
  EXPECT_EQ(Run({"compare", "--probe-quality", "0.3", small_, small_}).code, 1);
  EXPECT_EQ(Run({"compare", "--probe-quality", "1.5", small_, small_}).code, 2);
}

TEST_F(QualityCommandsTest, JsonHasTheReasonsAsTheyAre) {
  const auto json = nlohmann::json::parse(Run({"--json", "identify", small_}).out);
  const auto& result = json[0]["results"][0];
  EXPECT_EQ(result["decision"], "DECISION_INCONCLUSIVE");
  EXPECT_EQ(result["face"]["quality"]["shortcomings"][0]["advice"], "come closer");
}

TEST_F(QualityCommandsTest, EnrollSaysWhyAPhotoIsRefused) {
  const auto result = Run({"enroll", "1017", small_});
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("LOW_QUALITY"));
  EXPECT_THAT(result.err, HasSubstr("inter eye distance is 7.13 px, 12 wanted (come closer)"));
}

TEST_F(QualityCommandsTest, EnrollOfAFolderListsUnfitPhotosAndGoesOn) {
  Jpeg("people/1017/good.jpg", "a");
  Jpeg("people/1017/small.jpg", "~");
  const auto result = Run({"enroll", "--dir", dir_.File("people")});
  EXPECT_EQ(result.code, 5);
  EXPECT_THAT(result.out, HasSubstr("LOW_QUALITY"));
  EXPECT_THAT(result.out, HasSubstr("come closer"));
  EXPECT_THAT(server_.face.enrolled().at("1017"), ElementsAre('a'));
}

TEST_F(QualityCommandsTest, DetectShowsTheQualityAndTheWorstOfIt) {
  const auto result = Run({"detect", small_});
  EXPECT_EQ(result.code, 0) << "there is a face";
  EXPECT_THAT(result.out, HasSubstr("0.25  inter eye distance 0.25"));
  EXPECT_THAT(result.out, HasSubstr("face 1: " + std::string(kComeCloser) + "\n"));
}

TEST_F(QualityCommandsTest, CollectionsAreCreatedWithTheirPolicies) {
  const auto result =
      Run({"collection", "create", "door", "--enrol-quality", "0.75", "--probe-quality", "0"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("0.75"));
  EXPECT_THAT(result.out, HasSubstr("0.00"));
}

TEST_F(QualityCommandsTest, UpdatesNameThePoliciesThatTheyChange) {
  ASSERT_EQ(Run({"collection", "update", "door", "--probe-quality", "0.6"}).code, 0);
  v1::UpdateCollectionRequest sent = server_.gallery.last_collection_update();
  EXPECT_THAT(sent.update_mask().paths(), ElementsAre("probe_quality"));
  EXPECT_FLOAT_EQ(sent.collection().probe_quality(), 0.6F);
  ASSERT_EQ(Run({"collection", "update", "door", "--no-enrol-quality", "--min-cosine", "0.4"}).code,
            0);
  sent = server_.gallery.last_collection_update();
  EXPECT_THAT(sent.update_mask().paths(), ElementsAre("min_cosine", "enrol_quality"));
  EXPECT_FALSE(sent.collection().has_enrol_quality());
}

TEST_F(QualityCommandsTest, ASheetTellsUnfitFacesFromStrangers) {
  const std::string photo = dir_.File("face.png");
  ASSERT_TRUE(cv::imwrite(photo, cv::Mat(48, 64, CV_8UC3, cv::Scalar(0, 0, 0))));
  v1::IdentifyResponse answer;
  answer.add_results()->set_decision(v1::DECISION_INCONCLUSIVE);
  IdentificationSheet sheet;
  sheet.Add(photo, "", answer);
  sheet.Add(photo, "", answer, PhotoTruth{.identity = "1017", .enrolled = true});
  EXPECT_EQ(sheet.Headline(), "0 of 1 photos right, 0 wrong; 2 not fit to be compared");
}

}  // namespace
}  // namespace facegate::cli
