// Operating points by error rate, guards and calibrations on the command line.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "face/base/file.h"
#include "tests/clients/cli_fixture.h"
#include "tests/support/status_matchers.h"

namespace facegate::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class CalibrationCommandsTest : public FacegateCliTest {};

TEST_F(CalibrationCommandsTest, IdentifyAsksForARateByTheSitesOwnScores) {
  Run({"identify", "--fpir", "0.01", "--site-calibration", Photo("a.jpg", "a")});
  const v1::OperatingPoint sent = server_.face.last_identify().operating_point();
  EXPECT_DOUBLE_EQ(sent.fpir(), 0.01);
  EXPECT_EQ(sent.calibration(), v1::CALIBRATION_CHOICE_COLLECTION);
}

TEST_F(CalibrationCommandsTest, ARequestWithoutARateHasNoOperatingPoint) {
  Run({"identify", Photo("a.jpg", "a")});
  EXPECT_FALSE(server_.face.last_identify().has_operating_point());
}

TEST_F(CalibrationCommandsTest, OneRuleAtATime) {
  const std::string photo = Photo("a.jpg", "a");
  EXPECT_EQ(Run({"identify", "--fmr", "0.01", "--min-cosine", "0.4", photo}).code, 2);
  EXPECT_EQ(Run({"identify", "--fmr", "0.01", "--fpir", "0.01", photo}).code, 2);
  EXPECT_EQ(Run({"verify", "--fmr", "0", "1017", photo}).code, 2);
  EXPECT_EQ(Run({"verify", "--fmr", "1.5", "1017", photo}).code, 2);
}

TEST_F(CalibrationCommandsTest, ACalibrationWithoutARateIsAMistake) {
  const auto result = Run({"identify", "--site-calibration", Photo("a.jpg", "a")});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("--site-calibration requires --fmr, --fpir or --min-cosine"));
}

TEST_F(CalibrationCommandsTest, GuardsAreSetAndTakenAway) {
  ASSERT_EQ(Run({"collection", "update", "door", "--duplicate-fmr", "0.0001"}).code, 0);
  v1::UpdateCollectionRequest sent = server_.gallery.last_collection_update();
  EXPECT_THAT(sent.update_mask().paths(), ElementsAre("duplicate_fmr"));
  EXPECT_DOUBLE_EQ(sent.collection().duplicate_fmr(), 0.0001);
  ASSERT_EQ(Run({"collection", "update", "door", "--no-identity-match"}).code, 0);
  sent = server_.gallery.last_collection_update();
  EXPECT_THAT(sent.update_mask().paths(), ElementsAre("identity_match_fmr"));
  EXPECT_FALSE(sent.collection().has_identity_match_fmr());
}

TEST_F(CalibrationCommandsTest, HowScoresAreMadeIsSetAndTakenBack) {
  ASSERT_EQ(Run({"collection", "update", "door", "--fusion", "mean", "--cohort"}).code, 0);
  v1::UpdateCollectionRequest sent = server_.gallery.last_collection_update();
  EXPECT_THAT(sent.update_mask().paths(), ElementsAre("fusion", "cohort_normalisation"));
  EXPECT_EQ(sent.collection().fusion(), v1::FUSION_MEAN_TEMPLATE);
  EXPECT_TRUE(sent.collection().cohort_normalisation());
  ASSERT_EQ(Run({"collection", "update", "door", "--no-cohort"}).code, 0);
  sent = server_.gallery.last_collection_update();
  EXPECT_THAT(sent.update_mask().paths(), ElementsAre("cohort_normalisation"));
  EXPECT_FALSE(sent.collection().cohort_normalisation());
  EXPECT_EQ(Run({"collection", "update", "door", "--fusion", "middle"}).code, 2);
}

TEST_F(CalibrationCommandsTest, HowTemplatesAreSearchedIsSetAndShown) {
  const auto updated = Run({"collection", "update", "door", "--search", "hnsw"});
  EXPECT_EQ(updated.code, 0) << updated.err;
  const v1::UpdateCollectionRequest sent = server_.gallery.last_collection_update();
  EXPECT_THAT(sent.update_mask().paths(), ElementsAre("search"));
  EXPECT_EQ(sent.collection().search(), v1::SEARCH_KIND_HNSW);
  EXPECT_THAT(updated.out, HasSubstr("hnsw: 250000 indexed, recall 99.3 %"));
  EXPECT_THAT(Run({"collection", "update", "door", "--search", "ivf"}).out,
              HasSubstr("ivf: exact so far"));
  EXPECT_THAT(Run({"collection", "update", "door", "--search", "exact"}).out, HasSubstr("exact"));
  EXPECT_EQ(Run({"collection", "update", "door", "--search", "guess"}).code, 2);
}

TEST_F(CalibrationCommandsTest, ScoresCanBeTheMeanOfTheTwoBest) {
  ASSERT_EQ(Run({"collection", "update", "door", "--fusion", "two-best"}).code, 0);
  const v1::UpdateCollectionRequest sent = server_.gallery.last_collection_update();
  EXPECT_THAT(sent.update_mask().paths(), ElementsAre("fusion"));
  EXPECT_EQ(sent.collection().fusion(), v1::FUSION_MEAN_OF_TWO_BEST);
  const auto created = Run({"--json", "collection", "create", "door", "--fusion", "two-best"});
  EXPECT_EQ(created.code, 0) << created.err;
  EXPECT_THAT(created.out, HasSubstr("FUSION_MEAN_OF_TWO_BEST"));
}

TEST_F(CalibrationCommandsTest, WritesAPageWithCurvesAndWarnings) {
  const std::string file = dir_.File("door.html");
  const auto result = Run({"calibration", "door", "--page", file});
  EXPECT_EQ(result.code, 0) << result.err;
  const auto page = ReadFile(file, 1 << 20);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(*page, HasSubstr("Error rates of door"));
  EXPECT_THAT(*page, HasSubstr("40 people, 50 photos"));
  EXPECT_THAT(*page, HasSubstr("<polyline class=\"fmr\""));
  EXPECT_THAT(*page, HasSubstr("<polyline class=\"card\""));
  EXPECT_THAT(*page, HasSubstr("class=\"warning\""));
  EXPECT_THAT(*page, Not(HasSubstr("http"))) << "it loads nothing";
  EXPECT_NE(Run({"calibration", "door", "--page", dir_.File("no/such/folder.html")}).code, 0);
}

TEST_F(CalibrationCommandsTest, ShowsACollectionsRatesAndItsWarnings) {
  const auto result = Run({"calibration", "door"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("the collection's own identities: 40 people, 50 photos"));
  EXPECT_THAT(result.out, HasSubstr("0.01 (0.008 to 0.012)"));
  EXPECT_THAT(result.out, HasSubstr("by formula"));
  EXPECT_THAT(result.out, HasSubstr("0.5000 decides"));
  EXPECT_THAT(result.out, HasSubstr("warning: strangers match here"));
}

TEST_F(CalibrationCommandsTest, ShowsTheModelCardsRates) {
  const auto result = Run({"calibration", "door", "--model-card"});
  EXPECT_THAT(result.out, HasSubstr("a named set"));
  EXPECT_THAT(result.out, Not(HasSubstr("own identities")));
}

}  // namespace
}  // namespace facegate::cli
