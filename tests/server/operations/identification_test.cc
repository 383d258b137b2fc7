// These tests are of what Identify answers for the faces of one picture, unique_identities above
// all (the rules are in protos/facegate/v1/face_service.proto).

#include "server/operations/identification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/random_embedding.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr float kThreshold = 0.5f;

// A face that was compared: who is how near, best first.
SearchedFace FaceNear(std::vector<std::pair<std::string, float>> nearest) {
  SearchedFace face;
  face.face.embedding = UnitOf(std::vector<float>{1.0f, 0.0f});
  std::stable_sort(nearest.begin(), nearest.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  for (auto& [identity, cosine] : nearest) {
    face.nearest.push_back(Judge(
        {.identity = std::move(identity), .template_id = 7, .cosine = cosine, .score = cosine}, 0,
        {.threshold = kThreshold}));
  }
  return face;
}

IdentificationOptions Unique() {
  return {.max_candidates = 5, .include_below_threshold = false, .unique_identities = true};
}

std::vector<IdentifiedFace> DecideFor(const IdentificationOptions& options,
                                      const std::vector<SearchedFace>& faces) {
  auto decided = DecideFaces(options, faces, {});
  EXPECT_THAT(decided, IsOk());
  EXPECT_EQ(decided->size(), faces.size());
  return *std::move(decided);
}

// The matches of each face, by id.
std::vector<std::vector<std::string>> MatchesOf(const std::vector<IdentifiedFace>& faces) {
  std::vector<std::vector<std::string>> matches;
  for (const IdentifiedFace& face : faces) {
    std::vector<std::string>& of_face = matches.emplace_back();
    for (const DecidedCandidate& one : face.candidates) {
      if (one.decision == Decision::kMatch) of_face.push_back(one.candidate.identity);
    }
    EXPECT_EQ(face.decision, of_face.empty() ? Decision::kNoMatch : Decision::kMatch);
  }
  return matches;
}

TEST(IdentificationTest, WithoutUniqueIdentitiesEachFaceStandsAlone) {
  IdentificationOptions options = Unique();
  options.unique_identities = false;
  EXPECT_THAT(MatchesOf(DecideFor(options, {FaceNear({{"a", 0.9f}, {"b", 0.6f}, {"c", 0.4f}}),
                                            FaceNear({{"a", 0.8f}})})),
              ElementsAre(ElementsAre("a", "b"), ElementsAre("a")));
}

TEST(IdentificationTest, GivesAnIdentityToTheFaceThatIsNearer) {
  const auto response = DecideFor(Unique(), {FaceNear({{"a", 0.8f}}), FaceNear({{"a", 0.9f}})});
  EXPECT_THAT(MatchesOf(response), ElementsAre(IsEmpty(), ElementsAre("a")));
  EXPECT_EQ(response[0].decision, Decision::kNoMatch);
  EXPECT_EQ(response[0].candidates.size(), 0u);
}

TEST(IdentificationTest, GivesAFaceOneMatchAtMost) {
  EXPECT_THAT(MatchesOf(DecideFor(Unique(), {FaceNear({{"a", 0.9f}, {"b", 0.8f}, {"c", 0.7f}})})),
              ElementsAre(ElementsAre("a")));
}

TEST(IdentificationTest, GivesAFaceItsSecondWhereTheSumIsLarger) {
  // Together 0.4 + 0.4 beats 0.45 + 0.3.
  EXPECT_THAT(MatchesOf(DecideFor(Unique(), {FaceNear({{"a", 0.95f}, {"b", 0.9f}}),
                                             FaceNear({{"a", 0.9f}, {"b", 0.8f}})})),
              ElementsAre(ElementsAre("b"), ElementsAre("a")));
}

TEST(IdentificationTest, LeavesAFaceWithoutAMatchWhereTheSumIsLarger) {
  // 0.45 beats 0.2 + 0.2.
  EXPECT_THAT(MatchesOf(DecideFor(
                  Unique(), {FaceNear({{"a", 0.95f}, {"b", 0.7f}}), FaceNear({{"a", 0.7f}})})),
              ElementsAre(ElementsAre("a"), IsEmpty()));
}

TEST(IdentificationTest, CountsWhatIsAboveTheThresholdAlone) {
  // By whole cosines 0.55 + 0.55 would beat 0.95; above the threshold it is 0.1 against 0.45.
  EXPECT_THAT(MatchesOf(DecideFor(
                  Unique(), {FaceNear({{"a", 0.95f}, {"b", 0.55f}}), FaceNear({{"a", 0.55f}})})),
              ElementsAre(ElementsAre("a"), IsEmpty()));
}

TEST(IdentificationTest, TakesAMatchAtTheThresholdItself) {
  EXPECT_THAT(MatchesOf(DecideFor(Unique(), {FaceNear({{"a", kThreshold}})})),
              ElementsAre(ElementsAre("a")));
  EXPECT_THAT(MatchesOf(DecideFor(Unique(), {FaceNear({{"a", 0.9f}}),
                                             FaceNear({{"a", kThreshold}, {"b", kThreshold}})})),
              ElementsAre(ElementsAre("a"), ElementsAre("b")));
  EXPECT_THAT(MatchesOf(DecideFor(Unique(), {FaceNear({{"a", std::nextafter(kThreshold, 0.0f)}})})),
              ElementsAre(IsEmpty()));
}

// One match of 0.4 exceeds the threshold by more than 0.4 - 2e-7 and 0 together.
TEST(IdentificationTest, PrefersTheLargerSumHoweverLittleLarger) {
  EXPECT_THAT(MatchesOf(DecideFor(Unique(), {FaceNear({{"a", 0.9f}, {"b", kThreshold}}),
                                             FaceNear({{"a", 0.9f - 2e-7f}})})),
              ElementsAre(ElementsAre("a"), IsEmpty()));
}

TEST(IdentificationTest, TellsTheNearestBelowTheThresholdWhenAsked) {
  IdentificationOptions options = Unique();
  options.include_below_threshold = true;
  options.max_candidates = 3;
  const auto response =
      DecideFor(options, {FaceNear({{"a", 0.9f}, {"b", 0.4f}, {"c", 0.3f}, {"d", 0.2f}}),
                          FaceNear({{"a", 0.8f}, {"b", 0.45f}, {"c", 0.1f}})});
  EXPECT_THAT(MatchesOf(response), ElementsAre(ElementsAre("a"), IsEmpty()));
  const auto ids = [&](size_t face) {
    std::vector<std::string> all;
    for (const auto& one : response[face].candidates) all.push_back(one.candidate.identity);
    return all;
  };
  EXPECT_THAT(ids(0), ElementsAre("a", "b", "c"));
  // An identity that went to the other face is no candidate any more, above the threshold or marked
  // below it.
  EXPECT_THAT(ids(1), ElementsAre("b", "c"));
  for (const auto& one : response[1].candidates) {
    EXPECT_EQ(one.decision, Decision::kNoMatch);
    EXPECT_LT(one.candidate.cosine, kThreshold);
  }
}

TEST(IdentificationTest, LeavesOutFacesThatCouldNotBeCompared) {
  const auto response =
      DecideFor(Unique(), {SearchedFace{}, FaceNear({{"a", 0.9f}}), SearchedFace{}});
  EXPECT_EQ(response[0].decision, Decision::kInconclusive);
  EXPECT_EQ(response[1].decision, Decision::kMatch);
  EXPECT_EQ(response[2].decision, Decision::kInconclusive);
  EXPECT_EQ(response[0].candidates.size(), 0u);
}

TEST(IdentificationTest, NamesTheMatchAndItsTemplate) {
  const auto response = DecideFor(Unique(), {FaceNear({{"a", 0.75f}})});
  const Candidate& candidate = response[0].candidates[0].candidate;
  EXPECT_EQ(candidate.identity, "a");
  EXPECT_EQ(candidate.cosine, 0.75f);
  EXPECT_EQ(candidate.template_id, 7u);
}

// The names, too long to lie in the strings themselves, are those of the first face's candidates.
TEST(IdentificationTest, GivesEachOfManyFacesItsOwn) {
  const auto name = [](int i) { return "an identity with a long name " + std::to_string(i); };
  constexpr int kFaces = 20;
  std::vector<SearchedFace> faces;
  for (int face = 0; face < kFaces; ++face) {
    std::vector<std::pair<std::string, float>> nearest;
    for (int i = 0; i < kFaces; ++i) nearest.emplace_back(name(i), i == face ? 0.9f : 0.6f);
    faces.push_back(FaceNear(nearest));
  }
  const auto matches = MatchesOf(DecideFor(Unique(), faces));
  for (int face = 0; face < kFaces; ++face) EXPECT_THAT(matches[face], ElementsAre(name(face)));
}

// What was found for a face in two collections, the second with a threshold of its own.
SearchedFace FaceNearInTwo(const IdentificationOptions& options,
                           const std::vector<std::pair<std::string, float>>& first,
                           const std::vector<std::pair<std::string, float>>& second,
                           float second_threshold) {
  SearchedFace face = FaceNear(first);
  std::vector<DecidedCandidate> more;
  for (const DecidedCandidate& one : FaceNear(second).nearest) {
    more.push_back(Judge(one.candidate, 1, {.threshold = second_threshold}));
  }
  MergeNearest(options, NearestNeeded(options, 2), std::move(more), face.nearest);
  return face;
}

std::vector<std::pair<size_t, std::string>> PlacesOf(const std::vector<DecidedCandidate>& found) {
  std::vector<std::pair<size_t, std::string>> places;
  for (const auto& one : found) places.emplace_back(one.collection, one.candidate.identity);
  return places;
}

TEST(IdentificationTest, MergesMatchesFirstAndThenByScore) {
  IdentificationOptions options = Unique();
  options.unique_identities = false;
  const SearchedFace face = FaceNearInTwo(options, {{"a", 0.7f}, {"b", 0.6f}, {"c", 0.2f}},
                                          {{"a", 0.9f}, {"d", 0.65f}, {"e", 0.3f}}, 0.8f);
  EXPECT_THAT(PlacesOf(face.nearest),
              ElementsAre(Pair(1, "a"), Pair(0, "a"), Pair(0, "b"), Pair(1, "d"), Pair(1, "e")))
      << "five are needed";
}

TEST(IdentificationTest, MergesWhoIsAlikeInTheOrderOfCollections) {
  IdentificationOptions options = Unique();
  options.unique_identities = false;
  options.max_candidates = 3;
  EXPECT_THAT(PlacesOf(FaceNearInTwo(options, {{"a", 0.7f}, {"b", 0.7f}},
                                     {{"a", 0.7f}, {"b", 0.7f}}, kThreshold)
                           .nearest),
              ElementsAre(Pair(0, "a"), Pair(0, "b"), Pair(1, "a")));
}

TEST(IdentificationTest, CountsWhatIsAboveTheThresholdOfEachCollection) {
  // The second is nearer, but only just a match there.
  const auto decided =
      DecideFor(Unique(), {FaceNearInTwo(Unique(), {{"a", 0.8f}}, {{"a", 0.9f}}, 0.85f)});
  EXPECT_THAT(PlacesOf(decided[0].candidates), ElementsAre(Pair(0, "a")));
}

TEST(IdentificationTest, GivesTheNamesakesOfTwoCollectionsToTwoFaces) {
  const SearchedFace face = FaceNearInTwo(Unique(), {{"a", 0.9f}}, {{"a", 0.8f}}, kThreshold);
  const auto decided = DecideFor(Unique(), {face, face});
  ASSERT_EQ(decided[0].candidates.size(), 1u);
  ASSERT_EQ(decided[1].candidates.size(), 1u);
  EXPECT_NE(decided[0].candidates[0].collection, decided[1].candidates[0].collection);
}

TEST(IdentificationTest, IsInconclusiveWithoutAMatchWhereNotAllCompared) {
  IdentificationOptions options = Unique();
  options.include_below_threshold = true;
  SearchedFace stranger = FaceNear({{"a", 0.4f}});
  SearchedFace known = FaceNear({{"b", 0.9f}, {"a", 0.4f}});
  for (SearchedFace* face : {&stranger, &known}) face->not_compared_with = {1};
  const auto decided = *DecideFaces(options, {stranger, known}, {});
  EXPECT_EQ(decided[0].decision, Decision::kInconclusive);
  EXPECT_THAT(decided[0].candidates, IsEmpty());
  EXPECT_EQ(decided[1].decision, Decision::kMatch);
  EXPECT_THAT(PlacesOf(decided[1].candidates), ElementsAre(Pair(0, "b"), Pair(0, "a")));
  EXPECT_THAT(decided[1].not_compared_with, ElementsAre(1u));
}

TEST(IdentificationTest, OfNoFaceIsEmpty) { EXPECT_TRUE(DecideFor(Unique(), {}).empty()); }

TEST(IdentificationTest, NeedsAsManyNearestAsThereAreFaces) {
  IdentificationOptions options = Unique();
  EXPECT_EQ(NearestNeeded(options, 3), 5u);
  EXPECT_EQ(NearestNeeded(options, 12), 12u);
  options.unique_identities = false;
  EXPECT_EQ(NearestNeeded(options, 12), 5u);
}

using Cosines = std::vector<std::map<std::string, float>>;  // of each face

// The largest sum above the threshold that any assignment has.
double BestSum(const Cosines& cosines, size_t face, std::set<std::string>& taken) {
  if (face == cosines.size()) return 0.0;
  double best = BestSum(cosines, face + 1, taken);
  for (const auto& [identity, cosine] : cosines[face]) {
    if (cosine < kThreshold || !taken.insert(identity).second) continue;
    best = std::max(best,
                    static_cast<double>(cosine) - kThreshold + BestSum(cosines, face + 1, taken));
    taken.erase(identity);
  }
  return best;
}

// Faces see only as many of the nearest as NearestNeeded() says; that must be enough.
TEST(IdentificationTest, HasTheLargestSumOfAllAssignments) {
  std::mt19937_64 random(8);
  for (int round = 0; round < 1000; ++round) {
    const size_t faces = random() % 4 + 1;
    const size_t people = random() % 7 + 1;
    Cosines cosines(faces);
    for (auto& of_face : cosines) {
      for (size_t i = 0; i < people; ++i) {
        // Coarse, so that there are ties; half of them below the threshold.
        of_face[std::string(1, static_cast<char>('a' + i))] =
            static_cast<float>(random() % 17) / 16.0f;
      }
    }
    IdentificationOptions options = Unique();
    options.max_candidates = 1;
    const size_t needed = NearestNeeded(options, faces);
    std::vector<SearchedFace> identified;
    for (const auto& of_face : cosines) {
      identified.push_back(FaceNear({of_face.begin(), of_face.end()}));
      if (identified.back().nearest.size() > needed) identified.back().nearest.resize(needed);
    }
    const auto matches = MatchesOf(DecideFor(options, identified));
    double sum = 0.0;
    std::set<std::string> taken;
    for (size_t face = 0; face < faces; ++face) {
      ASSERT_LE(matches[face].size(), 1u);
      for (const std::string& identity : matches[face]) {
        EXPECT_TRUE(taken.insert(identity).second) << "in the picture twice";
        EXPECT_GE(cosines[face].at(identity), kThreshold);
        sum += static_cast<double>(cosines[face].at(identity)) - kThreshold;
      }
    }
    taken.clear();
    EXPECT_NEAR(sum, BestSum(cosines, 0, taken), 1e-9);
  }
}

}  // namespace
}  // namespace facegate
