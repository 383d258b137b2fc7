#include "trainer/measure/template_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using Plane = std::array<float, 2>;

Plane RowOfTemplate(const FaceTemplates& templates, uint32_t number) {
  const auto row = templates.rows().row(*templates.RowOf(number));
  return {static_cast<float>(row[0]), static_cast<float>(row[1])};
}

void ExpectDirection(const Plane& row, double x, double y) {
  const double length = std::hypot(x, y);
  EXPECT_NEAR(row[0], x / length, 1e-6);
  EXPECT_NEAR(row[1], y / length, 1e-6);
}

// Two frames of medium 1 and a photo, medium 2.
FaceTemplates OneTemplate(const FaceWeights& weights) {
  TemplateSums sums(2, weights);
  sums.Begin(7);
  EXPECT_THAT(sums.Add(1, Plane{2, 0}, 1.0), IsOk());
  EXPECT_THAT(sums.Add(1, Plane{0, 2}, 1.0), IsOk());
  EXPECT_THAT(sums.Add(2, Plane{3, 0}, 0.5), IsOk());
  auto made = sums.Finish();
  EXPECT_THAT(made, IsOk());
  return *std::move(made);
}

TEST(TemplateSumsTest, AddsTheMeansOfMedia) {
  ExpectDirection(RowOfTemplate(OneTemplate({.length = true, .detection = false}), 7), 4.0, 1.0);
}

TEST(TemplateSumsTest, FacesOfUnitLengthCountAlike) {
  ExpectDirection(RowOfTemplate(OneTemplate({.length = false, .detection = false}), 7), 1.5, 0.5);
}

TEST(TemplateSumsTest, FacesCountAsTheDetectorWasSureOfThem) {
  ExpectDirection(RowOfTemplate(OneTemplate({.length = true, .detection = true}), 7), 2.5, 1.0);
  ExpectDirection(RowOfTemplate(OneTemplate({.length = false, .detection = true}), 7), 1.0, 0.5);
}

TEST(TemplateSumsTest, NothingOfATemplateIsInTheNext) {
  TemplateSums sums(2, {});
  sums.Begin(1);
  ASSERT_THAT(sums.Add(5, Plane{0, 3}, 1.0), IsOk());
  sums.Begin(2);
  sums.Begin(3);
  ASSERT_THAT(sums.Add(5, Plane{3, 0}, 1.0), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceTemplates templates, sums.Finish());
  ExpectDirection(RowOfTemplate(templates, 1), 0.0, 1.0);
  EXPECT_FALSE(templates.rows().has_face(*templates.RowOf(2)));
  ExpectDirection(RowOfTemplate(templates, 3), 1.0, 0.0);
  EXPECT_EQ(templates.RowOf(4), std::nullopt);
}

TEST(TemplateSumsTest, RefusesWhatIsNoEmbedding) {
  TemplateSums sums(2, {});
  sums.Begin(1);
  EXPECT_FALSE(sums.Add(1, Plane{0, 0}, 1.0).ok());
  EXPECT_FALSE(sums.Add(1, Plane{std::numeric_limits<float>::quiet_NaN(), 0}, 1.0).ok());
  EXPECT_FALSE(sums.Add(1, std::array<float, 3>{1, 0, 0}, 1.0).ok());
  EXPECT_FALSE(sums.Add(1, Plane{1, 0}, -1.0).ok());
}

TEST(TemplateSumsTest, FacesThatCountNothingAreNone) {
  TemplateSums sums(2, {.length = true, .detection = true});
  sums.Begin(1);
  ASSERT_THAT(sums.Add(1, Plane{1, 0}, 0.0), IsOk());
  sums.Begin(2);
  ASSERT_THAT(sums.Add(1, Plane{0, 2}, 1.0), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceTemplates templates, sums.Finish());
  EXPECT_FALSE(templates.rows().has_face(*templates.RowOf(1)));
  EXPECT_TRUE(templates.rows().has_face(*templates.RowOf(2)));
}

TEST(TemplateSumsTest, NamesATemplateOfNothing) {
  TemplateSums sums(2, {});
  sums.Begin(12);
  ASSERT_THAT(sums.Add(1, Plane{1, 0}, 1.0), IsOk());
  ASSERT_THAT(sums.Add(2, Plane{-1, 0}, 1.0), IsOk());
  EXPECT_THAT(std::string(MessageOf(sums.Finish().status())), HasSubstr("template 12"));
}

// Templates on a circle by their angles; NaN: without a face.
FaceTemplates OnCircle(const std::vector<std::pair<uint32_t, double>>& angles) {
  TemplateSums sums(2, {});
  for (const auto& [number, angle] : angles) {
    sums.Begin(number);
    if (std::isnan(angle)) continue;
    const Plane row{static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
    EXPECT_THAT(sums.Add(1, row, 1.0), IsOk());
  }
  auto made = sums.Finish();
  EXPECT_THAT(made, IsOk());
  return *std::move(made);
}

constexpr double kNoFace = std::numeric_limits<double>::quiet_NaN();

TEST(ScoreTemplatesTest, ScoresPairsInOrderWithAnyNumberOfThreads) {
  const FaceTemplates templates = OnCircle({{1, 0.0}, {2, 0.5}, {3, 2.0}, {4, kNoFace}});
  const std::vector<TemplatePair> pairs = {{.first = 1, .second = 2, .same = true},
                                           {.first = 3, .second = 1},
                                           {.first = 4, .second = 1}};
  for (const int threads : {1, 2, 5}) {
    std::vector<ScoredPair> scores(1);
    ASSERT_THAT(ScoreTemplates(templates, pairs, threads, scores), IsOk());
    ASSERT_EQ(scores.size(), 4u);
    EXPECT_NEAR(scores[1].cosine, std::cos(0.5), 1e-6);
    EXPECT_TRUE(scores[1].same);
    EXPECT_NEAR(scores[2].cosine, std::cos(2.0), 1e-6);
    EXPECT_EQ(scores[3].cosine, kNoScore);
    EXPECT_FALSE(scores[3].comparable);
  }
}

TEST(ScoreTemplatesTest, NamesATemplateThatThereIsNoneOf) {
  std::vector<ScoredPair> scores;
  const Status status =
      ScoreTemplates(OnCircle({{1, 0.0}}), std::vector{TemplatePair{1, 9, true}}, 1, scores);
  EXPECT_THAT(status, StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(std::string(MessageOf(status)), HasSubstr("template 9"));
}

// People 100, 200 and 300 at 0, 1 and 2; the probe of 200 is nearer to 300, and 400 is not there.
class IdentifyTemplatesTest : public ::testing::Test {
 protected:
  const FaceTemplates templates_ = OnCircle(
      {{1, 0.0}, {2, 1.0}, {3, 2.0}, {11, 0.1}, {12, 1.7}, {13, 2.1}, {14, 2.05}, {15, -0.3}});
  const TemplateGallery gallery_{.name = "G1", .people = {{1, 100}, {2, 200}, {3, 300}}};
  const std::vector<TemplateSubject> probes_ = {
      {11, 100}, {12, 200}, {13, 300}, {14, 400}, {15, 500}};
  const std::vector<double> fpirs_ = {0.0, 0.5};
};

TEST_F(IdentifyTemplatesTest, CountsWhoIsFoundAndWhoIsNot) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const GalleryFigures found,
                                IdentifyTemplates(templates_, gallery_, probes_, fpirs_));
  EXPECT_EQ(found.people, 3u);
  EXPECT_EQ(found.probes, 3u);
  EXPECT_EQ(found.strangers, 2u);
  EXPECT_EQ(found.hits_1, 2u);
  EXPECT_EQ(found.hits_5, 3u);
  ASSERT_EQ(found.open_set.size(), 2u);
  // Without a false positive 2.05, which looks like 300, is refused, and so is all that is no
  // surer.
  EXPECT_NEAR(found.open_set[0].threshold, std::cos(0.05), 1e-6);
  EXPECT_EQ(found.open_set[0].tpir.value, 0.0);
  EXPECT_NEAR(found.open_set[1].threshold, std::cos(0.3), 1e-6);
  EXPECT_NEAR(found.open_set[1].tpir.value, 2.0 / 3.0, 1e-9);
}

TEST_F(IdentifyTemplatesTest, RefusesAPersonWhoIsEnrolledTwice) {
  TemplateGallery twice = gallery_;
  twice.people.push_back({14, 300});
  EXPECT_THAT(
      std::string(MessageOf(IdentifyTemplates(templates_, twice, probes_, fpirs_).status())),
      HasSubstr("gallery G1: person 300 has the templates"));
}

TEST(GalleriesTest, RanksAreOfAllSearchesAndRatesAreMeans) {
  GalleryFigures first;
  first.probes = 10;
  first.hits_1 = 5;
  first.hits_5 = 8;
  first.hits_10 = 10;
  GalleryFigures second;
  second.probes = 30;
  second.hits_1 = 25;
  second.hits_5 = 28;
  second.hits_10 = 30;
  first.open_set = {{.fpir = 0.1, .threshold = 0.0, .tpir = {.value = 0.4}}};
  second.open_set = {{.fpir = 0.1, .threshold = 0.0, .tpir = {.value = 0.8}}};
  const GalleriesFigures mean = MeanOf(std::vector{first, second});
  EXPECT_NEAR(mean.rank_1.value, 30.0 / 40.0, 1e-12);
  EXPECT_NEAR(mean.rank_5.value, 36.0 / 40.0, 1e-12);
  EXPECT_NEAR(mean.rank_10.value, 1.0, 1e-12);
  ASSERT_EQ(mean.open_set.size(), 1u);
  EXPECT_NEAR(mean.open_set[0].tpir, 0.6, 1e-12);
}

}  // namespace
}  // namespace facegate
