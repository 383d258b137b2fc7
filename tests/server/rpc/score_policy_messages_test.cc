// These tests are of how scores are made and templates searched, over the contract:
// Collection.fusion, cohort_normalisation and search.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "index/rows/cohort.h"
#include "tests/server/rpc/service_fixture.h"

namespace facegate {
namespace {

class ScorePolicyMessagesTest : public ServiceTest {
 protected:
  Status Update(const std::vector<std::string>& paths, const v1::Collection& values,
                v1::Collection* after = nullptr) {
    v1::UpdateCollectionRequest request;
    request.set_collection_id("people");
    for (const std::string& path : paths) request.mutable_update_mask()->add_paths(path);
    *request.mutable_collection() = values;
    v1::UpdateCollectionResponse response;
    Status status = galleries_->UpdateCollection(call_, request, &response);
    if (after != nullptr) *after = response.collection();
    return status;
  }
  v1::VerifyResponse Verified(const std::string& identity, uint64_t seed) {
    v1::VerifyRequest request;
    request.set_collection_id("people");
    request.set_identity_id(identity);
    *request.mutable_probe() = Crop(seed);
    v1::VerifyResponse response;
    EXPECT_THAT(faces_->Verify(call_, request, &response), IsOk());
    return response;
  }
};

TEST_F(ScorePolicyMessagesTest, IsASettingOfTheCollection) {
  v1::CreateCollectionRequest create;
  create.set_collection_id("new");
  create.set_fusion(v1::FUSION_MEAN_TEMPLATE);
  create.set_cohort_normalisation(true);
  v1::CreateCollectionResponse created;
  ASSERT_THAT(galleries_->CreateCollection(call_, create, &created), IsOk());
  EXPECT_EQ(created.collection().fusion(), v1::FUSION_MEAN_TEMPLATE);
  EXPECT_TRUE(created.collection().cohort_normalisation());

  v1::Collection values;
  values.set_fusion(v1::FUSION_MEAN_TEMPLATE);
  values.set_cohort_normalisation(true);
  v1::Collection after;
  ASSERT_THAT(Update({"fusion"}, values, &after), IsOk());
  EXPECT_EQ(after.fusion(), v1::FUSION_MEAN_TEMPLATE);
  EXPECT_FALSE(after.cohort_normalisation()) << "it was not named";
  ASSERT_THAT(Update({"cohort_normalisation", "fusion"}, {}, &after), IsOk());
  EXPECT_EQ(after.fusion(), v1::FUSION_BEST_TEMPLATE) << "what is named and not given";
}

TEST_F(ScorePolicyMessagesTest, RefusesAFusionThatThereIsNot) {
  v1::Collection values;
  values.set_fusion(static_cast<v1::Fusion>(9));
  const Status refused = Update({"fusion"}, values);
  EXPECT_THAT(refused, RefusedWith(Reason::kInvalidField));
  EXPECT_EQ(FieldOf(refused), "collection.fusion");
}

TEST_F(ScorePolicyMessagesTest, HowTemplatesAreSearchedIsASettingToo) {
  v1::CreateCollectionRequest create;
  create.set_collection_id("new");
  create.set_search(v1::SEARCH_KIND_HNSW);
  v1::CreateCollectionResponse created;
  ASSERT_THAT(galleries_->CreateCollection(call_, create, &created), IsOk());
  EXPECT_EQ(created.collection().search(), v1::SEARCH_KIND_HNSW);

  v1::Collection values;
  values.set_search(v1::SEARCH_KIND_IVF);
  v1::Collection after;
  ASSERT_THAT(Update({"search"}, values, &after), IsOk());
  EXPECT_EQ(after.search(), v1::SEARCH_KIND_IVF);
  EXPECT_TRUE(after.has_approximate());
  EXPECT_EQ(after.approximate().indexed_templates(), 0u);
  EXPECT_FALSE(after.approximate().has_recall()) << "nothing was measured";
  ASSERT_THAT(Update({"min_cosine"}, {}, &after), IsOk());
  EXPECT_EQ(after.search(), v1::SEARCH_KIND_IVF) << "it was not named";
  ASSERT_THAT(Update({"search"}, {}, &after), IsOk());
  EXPECT_EQ(after.search(), v1::SEARCH_KIND_EXACT) << "what is named and not given";
  EXPECT_FALSE(after.has_approximate());
}

TEST_F(ScorePolicyMessagesTest, RefusesASearchThatThereIsNot) {
  v1::Collection values;
  values.set_search(static_cast<v1::SearchKind>(9));
  const Status refused = Update({"search"}, values);
  EXPECT_THAT(refused, RefusedWith(Reason::kInvalidField));
  EXPECT_EQ(FieldOf(refused), "collection.search");
}

TEST_F(ScorePolicyMessagesTest, TheMeanDecidesAndTheBestTemplateIsNamed) {
  Enroll("ada", 1);
  const std::string best = Enroll("ada", 2);
  EXPECT_GT(Verified("ada", 2).cosine(), 0.9999f);
  v1::Collection values;
  values.set_fusion(v1::FUSION_MEAN_TEMPLATE);
  ASSERT_THAT(Update({"fusion"}, values), IsOk());
  const v1::VerifyResponse answer = Verified("ada", 2);
  EXPECT_LT(answer.cosine(), 0.9999f);
  EXPECT_EQ(answer.template_name(), best);
  EXPECT_FALSE(answer.has_normalised());
}

TEST_F(ScorePolicyMessagesTest, TheMeanOfTheTwoBestIsASettingToo) {
  v1::CreateCollectionRequest create;
  create.set_collection_id("new");
  create.set_fusion(v1::FUSION_MEAN_OF_TWO_BEST);
  v1::CreateCollectionResponse created;
  ASSERT_THAT(galleries_->CreateCollection(call_, create, &created), IsOk());
  EXPECT_EQ(created.collection().fusion(), v1::FUSION_MEAN_OF_TWO_BEST);
  v1::GetCollectionRequest get;
  get.set_collection_id("new");
  v1::GetCollectionResponse got;
  ASSERT_THAT(galleries_->GetCollection(call_, get, &got), IsOk());
  EXPECT_EQ(got.collection().fusion(), v1::FUSION_MEAN_OF_TWO_BEST);

  v1::Collection values;
  values.set_fusion(v1::FUSION_MEAN_OF_TWO_BEST);
  v1::Collection after;
  ASSERT_THAT(Update({"fusion"}, values, &after), IsOk());
  EXPECT_EQ(after.fusion(), v1::FUSION_MEAN_OF_TWO_BEST);
}

TEST_F(ScorePolicyMessagesTest, TheTwoBestDecideTogetherInVerifyAndIdentify) {
  for (const uint64_t seed : {1, 2, 3}) Enroll("ada", seed);
  std::vector<float> cosines;
  for (const uint64_t seed : {1, 2, 3}) {
    v1::CompareRequest compare;
    *compare.mutable_first() = Crop(1);
    *compare.mutable_second() = Crop(seed);
    compare.mutable_operating_point()->set_min_cosine(0.5f);
    v1::CompareResponse compared;
    ASSERT_THAT(faces_->Compare(call_, compare, &compared), IsOk());
    cosines.push_back(compared.cosine());
  }
  const float expected = (cosines[0] + std::max(cosines[1], cosines[2])) / 2;
  v1::Collection values;
  values.set_fusion(v1::FUSION_MEAN_OF_TWO_BEST);
  ASSERT_THAT(Update({"fusion"}, values), IsOk());
  EXPECT_NEAR(Verified("ada", 1).cosine(), expected, 1e-6f);
  v1::IdentifyRequest request;
  request.set_collection_id("people");
  *request.mutable_probe() = Crop(1);
  request.mutable_operating_point()->set_min_cosine(-1.0f);
  v1::IdentifyResponse found;
  ASSERT_THAT(faces_->Identify(call_, request, &found), IsOk());
  ASSERT_EQ(found.results(0).candidates_size(), 1);
  EXPECT_EQ(found.results(0).candidates(0).cosine(), Verified("ada", 1).cosine());
}

TEST_F(ScorePolicyMessagesTest, WhatACohortLeavesDecides) {
  v1::Collection values;
  values.set_cohort_normalisation(true);
  ASSERT_THAT(Update({"cohort_normalisation"}, values), IsOk());
  for (uint64_t i = 0; i < kLeastCohort; ++i) Enroll(fmt::format("p{}", i), i + 1);
  const v1::VerifyResponse verified = Verified("p3", 4);
  ASSERT_TRUE(verified.has_normalised());
  EXPECT_NE(verified.normalised(), verified.cosine());
  EXPECT_EQ(verified.decision() == v1::DECISION_MATCH,
            verified.normalised() >= verified.basis().threshold());

  v1::IdentifyRequest request;
  request.set_collection_id("people");
  *request.mutable_probe() = Crop(4);
  request.mutable_operating_point()->set_min_cosine(-1.0f);
  v1::IdentifyResponse found;
  ASSERT_THAT(faces_->Identify(call_, request, &found), IsOk());
  ASSERT_EQ(found.results_size(), 1);
  const auto best = found.results(0).candidates(0);
  EXPECT_EQ(best.identity_id(), "p3");
  EXPECT_EQ(best.normalised(), verified.normalised());
  EXPECT_EQ(best.cosine(), verified.cosine());
  // The threshold lies between the two: what decides is what is left.
  request.mutable_operating_point()->set_min_cosine((best.normalised() + best.cosine()) / 2);
  v1::IdentifyResponse again;
  ASSERT_THAT(faces_->Identify(call_, request, &again), IsOk());
  EXPECT_EQ(again.results(0).decision() == v1::DECISION_MATCH, best.normalised() > best.cosine());
}

}  // namespace
}  // namespace facegate
