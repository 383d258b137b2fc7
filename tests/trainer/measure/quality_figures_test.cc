#include "trainer/measure/quality_figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/embeddings/photo_labels.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

constexpr float kNoFaceRow = std::numeric_limits<float>::quiet_NaN();
constexpr double kNoQuality = std::numeric_limits<double>::quiet_NaN();

// People on the axes of a space, each with two photos: "p0/1.jpg", "p0/2.jpg" …
EmbeddingSet SetOfPeople(size_t people, const std::vector<size_t>& without_face = {}) {
  std::vector<std::string> names;
  std::vector<float> values;
  for (size_t person = 0; person < people; ++person) {
    for (const char* photo : {"1", "2"}) {
      const bool face =
          std::find(without_face.begin(), without_face.end(), names.size()) == without_face.end();
      names.push_back("p" + std::to_string(person) + "/" + photo + ".jpg");
      for (size_t i = 0; i < people; ++i) {
        values.push_back(!face ? kNoFaceRow : i == person ? 1.0F : 0.0F);
      }
    }
  }
  auto set = EmbeddingSet::Make(names, people, values, {}, MirrorRule::kPlain, NoFaceRule::kMiss);
  EXPECT_THAT(set, IsOk());
  return *std::move(set);
}

std::string FileWith(const TempDir& dir, const std::string& text) {
  std::ofstream(dir.File("table.csv")) << text;
  return dir.File("table.csv");
}

// 200 people with two photos each: photo 2i and 2i+1. A share of the genuine pairs has a low score
// and a low quality of one photo; strangers score about 0.
struct BadPhotos {
  std::vector<JudgedPair> pairs;
  std::vector<size_t> person;
  PhotoQualities qualities;
};
BadPhotos SomePairs(bool quality_tells) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> noise(0.0, 0.1);
  BadPhotos all;
  for (size_t i = 0; i < 200; ++i) {
    const bool bad = i % 10 == 0;
    all.person.insert(all.person.end(), {i, i});
    all.qualities.push_back(quality_tells && bad ? 0.1 : 0.5 + 0.001 * static_cast<double>(i));
    all.qualities.push_back(0.9);
    all.pairs.push_back(
        {.first = 2 * i, .second = 2 * i + 1, .same = true, .cosine = bad ? -0.5 : 0.8});
    all.pairs.push_back(
        {.first = 2 * i, .second = (2 * i + 3) % 400, .cosine = 0.4 * std::tanh(noise(random))});
  }
  return all;
}

std::vector<ErrorDiscardCurve> CurvesOf(const BadPhotos& bad, double far = 0.01) {
  const PersonResampling resampling(200, 1);
  const std::vector<double> fars = {far};
  auto curves = MakeDiscardCurves(bad.pairs, bad.person, bad.qualities, fars, resampling);
  EXPECT_THAT(curves, IsOk());
  return *std::move(curves);
}

TEST(ErrorDiscardTest, FallsWhereTheQualityTellsTheErrors) {
  const ErrorDiscardCurve curve = CurvesOf(SomePairs(true)).front();
  EXPECT_DOUBLE_EQ(curve.points.front().discarded, 0.0);
  EXPECT_DOUBLE_EQ(curve.points.front().rates.fnmr.value, 0.1);
  for (const ErrorAtDiscard& point : curve.points) {
    if (point.discarded >= 0.05) {
      EXPECT_EQ(point.rates.fnmr.value, 0.0) << point.discarded;
    }
  }
  EXPECT_LT(curve.relative_area, 0.2);
}

TEST(ErrorDiscardTest, StaysWhereTheQualityTellsNothing) {
  EXPECT_NEAR(CurvesOf(SomePairs(false)).front().relative_area, 1.0, 0.15);
}

TEST(ErrorDiscardTest, KeepsTheThresholdThatItBeginsWith) {
  const ErrorDiscardCurve curve = CurvesOf(SomePairs(true)).front();
  EXPECT_DOUBLE_EQ(curve.points.front().rates.fmr.value, 0.01);
  EXPECT_LT(curve.points.back().rates.impostor, curve.points.front().rates.impostor);
}

TEST(ErrorDiscardTest, LeavesOutPhotosWithoutAFace) {
  BadPhotos bad = SomePairs(true);
  bad.qualities[0] = kNoQuality;
  EXPECT_EQ(CurvesOf(bad).front().points.front().rates.genuine, 199U);
}

TEST(ErrorDiscardTest, TakesTheRateOfThePairsWithFacesAlone) {
  BadPhotos bad = SomePairs(true);
  // The 150 of the strangers' pairs with the lowest scores lose a face.
  std::vector<const JudgedPair*> impostors;
  for (const JudgedPair& pair : bad.pairs) {
    if (!pair.same) impostors.push_back(&pair);
  }
  std::sort(impostors.begin(), impostors.end(),
            [](const JudgedPair* a, const JudgedPair* b) { return a->cosine < b->cosine; });
  for (size_t i = 0; i < 150; ++i) bad.qualities[impostors[i]->first] = kNoQuality;
  const ErrorAtDiscard first = CurvesOf(bad, 0.1).front().points.front();
  EXPECT_LT(first.rates.impostor, 60U);
  EXPECT_NEAR(first.rates.fmr.value, 0.1, 0.02);
}

TEST(PhotoQualityTest, ReadsAFileByName) {
  const TempDir dir;
  const EmbeddingSet set = SetOfPeople(2, {3});
  const auto qualities =
      ReadQualities(FileWith(dir, "photo,quality\np0/1.jpg,0.5\np0/2.jpg,0.25\np1/1.jpg,1\n"), set);
  ASSERT_THAT(qualities, IsOk());
  EXPECT_EQ((*qualities)[1], 0.25);
  EXPECT_TRUE(std::isnan((*qualities)[3]));
}

TEST(PhotoQualityTest, NamesWhatIsWrongWithAFile) {
  const TempDir dir;
  const EmbeddingSet set = SetOfPeople(1);
  const auto missing = ReadQualities(FileWith(dir, "p0/1.jpg 0.5\n"), set);
  EXPECT_THAT(missing, StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(std::string(MessageOf(missing.status())), HasSubstr("p0/2.jpg"));
  const auto large = ReadQualities(FileWith(dir, "p0/1.jpg\t0.5\np0/2.jpg\t50\n"), set);
  EXPECT_THAT(std::string(MessageOf(large.status())), HasSubstr("line 2"));
  EXPECT_THAT(ReadQualities(FileWith(dir, "p0/1.jpg\n"), set),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(ReadQualities(FileWith(dir, ""), set), StatusIs(StatusCode::kInvalidArgument));
}

TEST(PhotoQualityTest, CountsFailuresByBothLimits) {
  const std::vector<size_t> all = {0, 1, 2, 3};
  const AcquisitionRates rates = CountAcquisitions(
      {0.3, 0.45, 0.9, kNoQuality}, all, all, {.enrol = 0.5, .probe = 0.4}, PersonResampling(4, 1));
  EXPECT_DOUBLE_EQ(rates.enrol.failures.value, 0.75);
  EXPECT_DOUBLE_EQ(rates.probe.failures.value, 0.5);
  EXPECT_EQ(rates.enrol.counts.below_quality, 2U);
  EXPECT_EQ(rates.enrol.counts.no_face, 1U);
}

// 40 people with 50 photos each, all of a tenth of the people bad: the interval is that of 40
// trials, not of 2,000.
TEST(PhotoQualityTest, IntervalsTreatPeopleAsWhatWasDrawn) {
  PhotoQualities qualities;
  std::vector<size_t> person;
  std::vector<size_t> photos;
  for (size_t i = 0; i < 2000; ++i) {
    photos.push_back(i);
    person.push_back(i / 50);
    qualities.push_back(person.back() < 4 ? 0.1 : 0.9);
  }
  const Share failures = CountAcquisitions(qualities, person, photos, {.enrol = 0.5, .probe = 0.4},
                                           PersonResampling(40, 1))
                             .probe.failures;
  EXPECT_DOUBLE_EQ(failures.value, 0.1);
  EXPECT_LT(failures.low, 0.04);
  EXPECT_GT(failures.high, 0.16);
}

TEST(GroupsTest, TakesPeopleAndTheirPhotos) {
  const TempDir dir;
  const EmbeddingSet set = SetOfPeople(3);
  const auto groups = ReadGroups(
      FileWith(dir, "name;group\np0;north\np1;south\np0/2.jpg;south\nsomebody;east\n"), set);
  ASSERT_THAT(groups, IsOk());
  EXPECT_THAT(groups->names, ::testing::ElementsAre("north", "south"));
  EXPECT_THAT(groups->group,
              ::testing::ElementsAre(0, 1, 1, 1, PhotoGroups::kNone, PhotoGroups::kNone));
  EXPECT_EQ(groups->unlabelled, 2U);
  EXPECT_EQ(groups->unknown, 1U);
}

TEST(GroupsTest, SaysWhatLinesItExpects) {
  const TempDir dir;
  const auto groups = ReadGroups(FileWith(dir, "x,a\ny,b\n"), SetOfPeople(1));
  EXPECT_THAT(groups, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(groups.status())), HasSubstr("p0/1.jpg,group"));
}

// Two groups of two people. In the second group strangers score high and one genuine pair fails.
TEST(GroupsTest, JudgesEachGroupAtTheCommonThreshold) {
  const EmbeddingSet set = SetOfPeople(4);
  const PeopleOfPhotos people = NumberPeople(set);
  const PhotoGroups groups{.names = {"a", "b"}, .group = {0, 0, 0, 0, 1, 1, 1, 1}};
  const std::vector<JudgedPair> pairs = {
      {0, 1, true, 0.9},  {2, 3, true, 0.8},  {4, 5, true, 0.9},
      {6, 7, true, 0.1},  {0, 2, false, 0.1}, {1, 3, false, 0.2},
      {4, 6, false, 0.7}, {5, 7, false, 0.2}, {0, 4, false, 0.9}};
  const std::vector<double> thresholds = {0.5};
  const PersonResampling resampling(4, 1);
  const auto figures = MakeGroupFigures(pairs, people, groups, {1, 1, 1, 1, 1, 0.2, 1, kNoQuality},
                                        {.enrol = 0.5, .probe = 0.1}, thresholds, resampling);
  ASSERT_EQ(figures.size(), 3U);
  EXPECT_EQ(figures[0].people, 2U);
  EXPECT_EQ(figures[0].rates[0].fmr.value, 0.0);
  EXPECT_EQ(figures[0].rates[0].fnmr.value, 0.0);
  EXPECT_EQ(figures[1].rates[0].impostor, 2U);
  EXPECT_EQ(figures[1].rates[0].fmr.value, 0.5);
  EXPECT_EQ(figures[1].rates[0].fnmr.value, 0.5);
  EXPECT_EQ(figures[1].acquisition.enrol.failures.value, 0.5);
  EXPECT_EQ(figures[1].acquisition.probe.failures.value, 0.25);
  EXPECT_EQ(figures[2].name, "all");
  EXPECT_EQ(figures[2].rates[0].impostor, 5U);
}

TEST(StrangerTableTest, CountsPairsOfDifferentPeopleWithAndWithoutTheGate) {
  // Person 0 and 1 look alike; person 1's photos and one of person 2's have a low quality.
  const std::vector<std::string> names = {"a/1", "b/1", "c/1", "c/2"};
  const std::vector<float> values = {1.0F, 0.0F, 1.0F, 0.1F, 0.0F, 1.0F, kNoFaceRow, kNoFaceRow};
  const auto set = EmbeddingSet::Make(names, 2, values, {}, MirrorRule::kPlain, NoFaceRule::kMiss);
  ASSERT_THAT(set, IsOk());
  const StrangerRow row = CountStrangers("mask", *set, {0.9, 0.3, 0.9, kNoQuality},
                                         {.enrol = 0.5, .probe = 0.4}, 0.5, PersonResampling(3, 1));
  EXPECT_EQ(row.ungated.match, 1U);
  EXPECT_EQ(row.gated.match, 0U);
  EXPECT_EQ(row.gated.inconclusive, 2U);
  EXPECT_EQ(row.gated.no_match, 1U);
  EXPECT_EQ(row.gated.no_face, 2U);
  EXPECT_EQ(row.gated.total(), 5U);  // not the two photos of one person
  EXPECT_EQ(row.false_matches.value, 0.0);
  EXPECT_EQ(row.probe.failures.value, 0.5);
}

}  // namespace
}  // namespace facegate
