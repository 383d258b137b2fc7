// Identify in several collections, each of which judges by its own rules.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "face/decide/threshold.h"
#include "tests/server/rpc/service_fixture.h"
#include "tests/support/fake_quality_meter.h"
#include "tests/support/person_scores.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

// Made before the fixture that is given it.
struct MeterOfCollections {
  FakeQualityMeter meter_;
};

// Beside "people" there is "visitors", also with a min_cosine of 0.5.
class IdentifyCollectionsTest : private MeterOfCollections, public ServiceTest {
 protected:
  IdentifyCollectionsTest() : ServiceTest(&meter_) {
    CreateCollection("visitors", engine_.model(), 0.5f);
  }

  static v1::IdentifyRequest Request(const v1::Probe& probe,
                                     const std::vector<std::string>& collections = {"people",
                                                                                    "visitors"}) {
    v1::IdentifyRequest request;
    request.set_collection_id(collections.front());
    for (size_t i = 1; i < collections.size(); ++i) request.add_more_collection_ids(collections[i]);
    *request.mutable_probe() = probe;
    return request;
  }
  v1::IdentifyResponse Identify(const v1::IdentifyRequest& request) {
    v1::IdentifyResponse response;
    EXPECT_THAT(faces_->Identify(call_, request, &response), IsOk());
    return response;
  }
  // The answer for the only face.
  v1::IdentifyResponse::Result IdentifyOne(const v1::IdentifyRequest& request) {
    const v1::IdentifyResponse response = Identify(request);
    EXPECT_EQ(response.results_size(), 1);
    return response.results_size() == 1 ? response.results(0) : v1::IdentifyResponse::Result();
  }
  static std::vector<std::pair<std::string, std::string>> NamesOf(
      const v1::IdentifyResponse::Result& result) {
    std::vector<std::pair<std::string, std::string>> names;
    for (const auto& candidate : result.candidates()) {
      names.emplace_back(candidate.collection_id(), candidate.identity_id());
    }
    return names;
  }
  void Change(const std::string& collection, const CollectionChange& change) {
    ASSERT_THAT(gallery_->UpdateCollection(collection, change, ""), IsOk());
  }
  // Of the quality 0.2; visitors want 0.4.
  static v1::Probe DarkCrop() { return CropOf(DarkPattern(1)); }
  void TakeEveryFaceIn(const std::string& collection, float from) {
    Change(collection, {.set_min_cosine = true,
                        .min_cosine = from,
                        .set_probe_quality = true,
                        .probe_quality = 0.0f});
  }
};

TEST_F(IdentifyCollectionsTest, FindsThePersonOfEither) {
  Enroll("ada", 1);
  Enroll("bob", 2, "visitors");
  Enroll("eve", 3, "visitors");
  const v1::IdentifyResponse of_people = Identify(Request(Crop(1)));
  EXPECT_THAT(NamesOf(of_people.results(0)), ElementsAre(Pair("people", "ada")));
  const v1::IdentifyResponse of_visitors = Identify(Request(Photo(2)));
  const v1::IdentifyResponse::Result& result = of_visitors.results(0);
  EXPECT_EQ(result.decision(), v1::DECISION_MATCH);
  ASSERT_THAT(NamesOf(result), ElementsAre(Pair("visitors", "bob")));
  EXPECT_THAT(result.candidates(0).template_name(),
              HasSubstr("collections/visitors/identities/bob/templates/"));
  EXPECT_THAT(result.not_compared_collection_ids(), IsEmpty());
  EXPECT_EQ(IdentifyOne(Request(Crop(9))).decision(), v1::DECISION_NO_MATCH);
}

TEST_F(IdentifyCollectionsTest, TellsWhatWasSearchedInTheOrderOfTheRequest) {
  Change("visitors", {.set_min_cosine = true, .min_cosine = 0.75f});
  Enroll("ada", 1);
  Enroll("bob", 2, "visitors");
  Enroll("eve", 3, "visitors");
  const v1::IdentifyResponse response = Identify(Request(Crop(1), {"visitors", "people"}));
  ASSERT_EQ(response.searched_size(), 2);
  EXPECT_EQ(response.searched(0).collection_id(), "visitors");
  EXPECT_EQ(response.searched(0).basis().threshold(), 0.75f);
  EXPECT_EQ(response.searched(0).gallery_identities(), 2u);
  EXPECT_EQ(response.searched(1).collection_id(), "people");
  EXPECT_EQ(response.searched(1).basis().threshold(), 0.5f);
  EXPECT_EQ(response.searched(1).gallery_identities(), 1u);
  EXPECT_EQ(response.basis().threshold(), 0.75f);
  EXPECT_EQ(response.gallery_identities(), 3u);
}

TEST_F(IdentifyCollectionsTest, OneCollectionIsToldLikeSeveral) {
  Enroll("ada", 1);
  const v1::IdentifyResponse response = Identify(Request(Crop(1), {"people"}));
  EXPECT_THAT(NamesOf(response.results(0)), ElementsAre(Pair("people", "ada")));
  ASSERT_EQ(response.searched_size(), 1);
  EXPECT_EQ(response.searched(0).collection_id(), "people");
  EXPECT_EQ(response.searched(0).gallery_identities(), 1u);
}

TEST_F(IdentifyCollectionsTest, OneIdInTwoCollectionsIsTwoIdentitiesInTheOrderOfTheRequest) {
  Enroll("ada", 1, "visitors");
  Enroll("ada", 1);
  EXPECT_THAT(NamesOf(IdentifyOne(Request(Crop(1)))),
              ElementsAre(Pair("people", "ada"), Pair("visitors", "ada")));
  EXPECT_THAT(NamesOf(IdentifyOne(Request(Crop(1), {"visitors", "people"}))),
              ElementsAre(Pair("visitors", "ada"), Pair("people", "ada")));
}

TEST_F(IdentifyCollectionsTest, GivesAtMostTheCandidatesAskedForOfAllTogether) {
  for (const char* collection : {"people", "visitors"}) {
    for (uint64_t seed = 1; seed <= 3; ++seed) Enroll(std::to_string(seed), seed, collection);
  }
  v1::IdentifyRequest request = Request(Crop(2));
  request.mutable_operating_point()->set_min_cosine(-1.0f);
  request.set_max_candidates(3);
  const v1::IdentifyResponse::Result result = IdentifyOne(request);
  ASSERT_EQ(result.candidates_size(), 3);
  EXPECT_THAT(NamesOf(result)[0], Pair("people", "2"));
  EXPECT_THAT(NamesOf(result)[1], Pair("visitors", "2"));
  EXPECT_GE(result.candidates(1).cosine(), result.candidates(2).cosine());
}

// The match of the one collection is farther than what the other takes for a stranger.
TEST_F(IdentifyCollectionsTest, AMatchComesBeforeWhoIsNearerButBelowAnotherThreshold) {
  Change("people", {.set_min_cosine = true, .min_cosine = -1.0f});
  Change("visitors", {.set_min_cosine = true, .min_cosine = 0.9999f});
  Enroll("far", 2);
  Enroll("near", 1, "visitors");
  v1::IdentifyRequest request = Request(CropOf(BlendedPattern(1, 2, 0.8)));
  request.set_include_below_threshold(true);
  v1::IdentifyResponse::Result result = IdentifyOne(request);
  EXPECT_EQ(result.decision(), v1::DECISION_MATCH);
  ASSERT_THAT(NamesOf(result), ElementsAre(Pair("people", "far"), Pair("visitors", "near")));
  EXPECT_EQ(result.candidates(1).decision(), v1::DECISION_NO_MATCH);
  EXPECT_GT(result.candidates(1).cosine(), result.candidates(0).cosine());
  request.set_max_candidates(1);
  EXPECT_THAT(NamesOf(IdentifyOne(request)), ElementsAre(Pair("people", "far")));
}

TEST_F(IdentifyCollectionsTest, ARateHoldsForAllTemplatesTogether) {
  auto calibration = PersonScores(200, 1).Calibrate();
  ASSERT_THAT(calibration, IsOk());
  embedder_.mutable_card().calibration = *std::move(calibration);
  Enroll("ada", 1);
  for (uint64_t seed = 2; seed <= 5; ++seed) Enroll("bob", seed, "visitors");
  v1::IdentifyRequest request = Request(Crop(1));
  request.mutable_operating_point()->set_fpir(0.1);
  const v1::IdentifyResponse response = Identify(request);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Threshold expected,
                                ThresholdFor({.kind = OperatingPointKind::kFpir, .value = 0.1},
                                             &*engine_.card().calibration, {.searched = 5}));
  ASSERT_EQ(response.searched_size(), 2);
  for (const auto& one : response.searched()) {
    EXPECT_EQ(one.basis().searched_templates(), 5u);
    EXPECT_EQ(one.basis().threshold(), static_cast<float>(expected.min_cosine));
  }
}

TEST_F(IdentifyCollectionsTest, EachScoresByItsOwnFusion) {
  for (const char* collection : {"people", "visitors"}) {
    for (const uint64_t seed : {1, 2}) Enroll("ada", seed, collection);
  }
  Change("visitors", {.fusion = Fusion::kMeanTemplate});
  v1::IdentifyRequest request = Request(Crop(1));
  request.mutable_operating_point()->set_min_cosine(-1.0f);
  const v1::IdentifyResponse::Result result = IdentifyOne(request);
  ASSERT_THAT(NamesOf(result), ElementsAre(Pair("people", "ada"), Pair("visitors", "ada")));
  EXPECT_GT(result.candidates(0).cosine(), 0.9999f);
  EXPECT_LT(result.candidates(1).cosine(), 0.9999f);
}

TEST_F(IdentifyCollectionsTest, AFaceIsNotComparedWithACollectionThatWantsABetterOne) {
  TakeEveryFaceIn("people", -1.0f);
  Change("visitors", {.set_min_cosine = true, .min_cosine = -1.0f});
  Enroll("ada", 1);
  Enroll("bob", 2, "visitors");
  v1::IdentifyRequest request = Request(DarkCrop());
  request.set_include_below_threshold(true);
  const v1::IdentifyResponse::Result result = IdentifyOne(request);
  EXPECT_EQ(result.decision(), v1::DECISION_MATCH) << "of the collection that takes every face";
  EXPECT_THAT(NamesOf(result), ElementsAre(Pair("people", "ada")));
  EXPECT_THAT(result.not_compared_collection_ids(), ElementsAre("visitors"));
  EXPECT_FLOAT_EQ(result.face().quality().wanted(), static_cast<float>(kDefaultProbeQuality));
  EXPECT_EQ(result.face().quality().shortcomings_size(), 1);
}

TEST_F(IdentifyCollectionsTest, WithoutAMatchAFaceThatNotAllComparedIsInconclusive) {
  TakeEveryFaceIn("people", 0.9999f);
  Enroll("ada", 1);
  Enroll("bob", 2, "visitors");
  for (const auto& order : {std::vector<std::string>{"people", "visitors"},
                            std::vector<std::string>{"visitors", "people"}}) {
    v1::IdentifyRequest request = Request(DarkCrop(), order);
    request.set_include_below_threshold(true);
    const v1::IdentifyResponse::Result result = IdentifyOne(request);
    EXPECT_EQ(result.decision(), v1::DECISION_INCONCLUSIVE) << "it may be a visitor";
    EXPECT_THAT(NamesOf(result), IsEmpty()) << "also with include_below_threshold";
    EXPECT_THAT(result.not_compared_collection_ids(), ElementsAre("visitors"));
    EXPECT_EQ(result.face().quality().shortcomings_size(), 1);
  }
  EXPECT_EQ(IdentifyOne(Request(DarkCrop(), {"people"})).decision(), v1::DECISION_NO_MATCH);
}

TEST_F(IdentifyCollectionsTest, AFaceThatNobodyComparesIsInconclusiveAndNotEmbedded) {
  Enroll("ada", 1);
  const size_t batches = embedder_.batch_sizes().size();
  const v1::IdentifyResponse::Result result = IdentifyOne(Request(DarkCrop()));
  EXPECT_EQ(result.decision(), v1::DECISION_INCONCLUSIVE);
  EXPECT_THAT(result.not_compared_collection_ids(), ElementsAre("people", "visitors"));
  EXPECT_EQ(embedder_.batch_sizes().size(), batches);
}

TEST_F(IdentifyCollectionsTest, AFaceIsEmbeddedOnce) {
  const size_t batches = embedder_.batch_sizes().size();
  Identify(Request(Crop(1)));
  EXPECT_EQ(embedder_.batch_sizes().size(), batches + 1);
}

// Two faces of one person, who is enrolled in both: one for each.
TEST_F(IdentifyCollectionsTest, UniqueIdentitiesTellsCollectionsApart) {
  Enroll("ada", 1);
  Enroll("ada", 1, "visitors");
  cv::Mat photo;
  cv::hconcat(std::vector<cv::Mat>(3, PatternImage(1)), photo);
  detector_.set_faces({FaceAt(0, 0), FaceAt(112, 0), FaceAt(224, 0)});
  v1::Probe probe;
  probe.set_image(EncodePng(photo));
  probe.set_face_selection(v1::FACE_SELECTION_ALL);
  v1::IdentifyRequest request = Request(probe);
  request.set_unique_identities(true);
  std::multiset<std::string> found;
  const v1::IdentifyResponse response = Identify(request);
  for (const auto& result : response.results()) {
    if (result.candidates_size() == 0) continue;
    EXPECT_EQ(result.candidates_size(), 1);
    EXPECT_EQ(result.candidates(0).identity_id(), "ada");
    found.insert(result.candidates(0).collection_id());
  }
  EXPECT_THAT(found, ElementsAre("people", "visitors"));
}

TEST_F(IdentifyCollectionsTest, LabelsHoldInEachCollection) {
  for (const char* collection : {"people", "visitors"}) {
    Enroll("ada", 1, collection);
    Enroll("bob", 1, collection);
    ASSERT_THAT(
        gallery_->UpdateLabels(collection, "bob",
                               {.replace_all = true, .set = {{"floor", "2"}}, .remove = {}}, ""),
        IsOk());
  }
  v1::IdentifyRequest request = Request(Crop(1));
  (*request.mutable_labels())["floor"] = "2";
  EXPECT_THAT(NamesOf(IdentifyOne(request)),
              ElementsAre(Pair("people", "bob"), Pair("visitors", "bob")));
}

TEST_F(IdentifyCollectionsTest, NothingIsSearchedForACallerWhoHasGone) {
  const auto gone = std::make_shared<std::atomic<bool>>(false);
  call_.caller.cancelled = gone;
  embedder_.set_on_embed([gone] { *gone = true; });
  v1::IdentifyResponse response;
  EXPECT_THAT(faces_->Identify(call_, Request(Crop(1)), &response),
              StatusIs(StatusCode::kCancelled));
  EXPECT_EQ(response.searched_size(), 0);
}

TEST_F(IdentifyCollectionsTest, ACollectionThatIsDeletedMeanwhileEndsTheCall) {
  Enroll("ada", 1);
  embedder_.set_on_embed(
      [this] { EXPECT_THAT(gallery_->DeleteCollection("visitors", true), IsOk()); });
  v1::IdentifyResponse response;
  const Status status = faces_->Identify(call_, Request(Crop(1)), &response);
  EXPECT_THAT(status, RefusedWith(Reason::kCollectionNotFound));
  EXPECT_EQ(FieldOf(status), "more_collection_ids[0]");
}

}  // namespace
}  // namespace facegate
