// What there is of a face besides its template goes, or moves, with it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/index/local/erasure_fixture.h"
#include "tests/index/store/raw_store.h"

namespace facegate {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::StartsWith;

// Each of the two identities has a template of another generation, too, and a crop.
class DeletedFacesTest : public ErasePendingTest {
 protected:
  static constexpr uint32_t kOther = 7;

  DeletedFacesTest() {
    gallery_.reset();
    FaceKey staying;
    FaceKey erased;
    {
      const auto store = OpenStore(directory());
      staying = DeletionOf(*store, KeyOf(*store, "staying-behind")).deleted_templates.front();
      erased = DeletionOf(*store, KeyOf(*store, "zebra-crossing")).deleted_templates.front();
    }
    {
      RawStore raw(directory());
      Plant(raw, staying, other_staying_, "the crop that stays");
      Plant(raw, erased, other_erased_, "the crop that goes");
    }
    gallery_ = OpenOrDie(directory(), clock_);
  }

  static void Plant(RawStore& raw, const FaceKey& face, const Embedding& other,
                    const std::string& crop) {
    const TemplateKey key{
        .owner = face.owner, .generation = kOther, .template_id = face.template_id};
    raw.PutPayload(Family::kTemplates, EncodeTemplateKey(key),
                   EncodeTemplate({.key = key,
                                   .embedding = other,
                                   .model = {.model_digest = std::string(64, 'c'),
                                             .preprocessing_digest = std::string(64, 'd')},
                                   .detector = "none"}));
    raw.PutPayload(Family::kCrops, EncodeCropKey(face), crop);
  }
  uint64_t TemplateOfErased() {
    return gallery_->ListTemplates("people", "zebra-crossing", 0, 1)->front().id;
  }
  // Closes the gallery, which erases.
  void ExpectErased() {
    gallery_.reset();
    EXPECT_EQ(Count(BytesOf(erased_)), 0u);
    EXPECT_EQ(Count(BytesOf(other_erased_)), 0u);
    EXPECT_EQ(Count("the crop that goes"), 0u);
  }
  void ExpectOtherStays() {
    EXPECT_GT(Count(BytesOf(staying_)), 0u);
    EXPECT_GT(Count(BytesOf(other_staying_)), 0u);
    EXPECT_GT(Count("the crop that stays"), 0u);
    EXPECT_EQ(RawStore(directory()).Keys(Family::kTemplates).size(), 2u);
    EXPECT_EQ(RawStore(directory()).Keys(Family::kCrops).size(), 1u);
  }

  const Embedding other_staying_ = RandomEmbedding(random_, kSize / 2);
  const Embedding other_erased_ = RandomEmbedding(random_, kSize / 2);
};

TEST_F(DeletedFacesTest, OtherGenerationsAreNotServed) {
  EXPECT_EQ(gallery_->Stats()->templates, 2u);
  EXPECT_EQ(Search(staying_, 9)->size(), 2u);
  EXPECT_EQ(gallery_->ListTemplates("people", "zebra-crossing", 0, 9)->size(), 1u);
}

TEST_F(DeletedFacesTest, TheLogTellsOfOtherGenerationsInOneLine) {
  gallery_.reset();
  ::testing::internal::CaptureStderr();
  gallery_ = OpenOrDie(directory(), clock_);
  const std::string log = ::testing::internal::GetCapturedStderr();
  const std::string words = "templates are of another generation";
  EXPECT_NE(log.find("2 " + words), std::string::npos) << log;
  EXPECT_EQ(log.find(words), log.rfind(words)) << log;
}

TEST_F(DeletedFacesTest, GoWithAnIdentity) {
  ASSERT_GT(Count(BytesOf(other_erased_)), 0u);
  ASSERT_GT(Count("the crop that goes"), 0u);
  ASSERT_THAT(gallery_->DeleteIdentity("people", "zebra-crossing"), IsOk());
  ExpectErased();
  ExpectOtherStays();
}

TEST_F(DeletedFacesTest, GoWithATemplate) {
  ASSERT_THAT(gallery_->DeleteTemplate("people", "zebra-crossing", TemplateOfErased()), IsOk());
  ExpectErased();
  ExpectOtherStays();
}

TEST_F(DeletedFacesTest, StayWithTheOtherTemplatesOfAnIdentity) {
  const Embedding passing = Random();
  const uint64_t id = Enrol("zebra-crossing", passing);
  ASSERT_THAT(gallery_->DeleteTemplate("people", "zebra-crossing", id), IsOk());
  gallery_.reset();
  EXPECT_EQ(Count(BytesOf(passing)), 0u);
  EXPECT_GT(Count(BytesOf(other_erased_)), 0u);
  EXPECT_GT(Count("the crop that goes"), 0u);
}

TEST_F(DeletedFacesTest, GoWithACollection) {
  ASSERT_THAT(gallery_->DeleteCollection("people", true), IsOk());
  ExpectErased();
  EXPECT_EQ(Count(BytesOf(other_staying_)), 0u);
  EXPECT_EQ(Count("the crop that stays"), 0u);
  RawStore raw(directory());
  EXPECT_TRUE(raw.Keys(Family::kTemplates).empty());
  EXPECT_TRUE(raw.Keys(Family::kCrops).empty());
}

// As left by a process that deleted and was killed before it erased.
TEST_F(DeletedFacesTest, AreErasedAfterAKill) {
  ASSERT_THAT(gallery_->DeleteIdentity("people", "zebra-crossing"), IsOk());
  const std::string copy = Copy();
  ASSERT_TRUE(Pending(copy));
  OpenOrDie(copy, clock_);
  EXPECT_EQ(CountInFiles(copy, "the crop that goes"), 0u);
  EXPECT_EQ(CountInFiles(copy, BytesOf(other_erased_)), 0u);
}

TEST_F(DeletedFacesTest, MoveWithAMergedIdentity) {
  ASSERT_THAT(gallery_->MergeIdentities("people", {.id = "zebra-crossing", .etag = {}},
                                        {.id = "staying-behind", .etag = {}}),
              IsOk());
  gallery_.reset();
  std::string owner;
  {
    const auto store = OpenStore(directory());
    owner = EncodeIdentityKey(KeyOf(*store, "staying-behind"));
  }
  RawStore raw(directory());
  const auto crops = raw.Keys(Family::kCrops);
  ASSERT_EQ(crops.size(), 2u);
  EXPECT_THAT(crops, Each(StartsWith(owner)));
  EXPECT_EQ(raw.GetPayload(Family::kCrops, crops[1]), "the crop that goes");
  const auto templates = raw.Keys(Family::kTemplates);
  ASSERT_EQ(templates.size(), 4u);
  EXPECT_THAT(templates, Each(StartsWith(owner)));
  const auto last = DecodeTemplate(*DecodeTemplateKey(templates[3]),
                                   raw.GetPayload(Family::kTemplates, templates[3]));
  ASSERT_THAT(last, IsOk());
  EXPECT_EQ(last->key.generation, kOther);
  EXPECT_EQ(BytesOf(last->embedding), BytesOf(other_erased_));
}

TEST_F(DeletedFacesTest, WhatHasMovedGoesWithTheHeir) {
  ASSERT_THAT(gallery_->MergeIdentities("people", {.id = "zebra-crossing", .etag = {}},
                                        {.id = "staying-behind", .etag = {}}),
              IsOk());
  ASSERT_THAT(gallery_->DeleteIdentity("people", "staying-behind"), IsOk());
  ExpectErased();
}

// A collection that has got another model.
class LaterGenerationTest : public DeletedFacesTest {
 protected:
  LaterGenerationTest() {
    gallery_.reset();
    {
      RawStore raw(directory());
      const std::string key = raw.Keys(Family::kCollections).front();
      auto record =
          DecodeCollection(*DecodeCollectionKey(key), raw.GetPayload(Family::kCollections, key));
      FACEGATE_CHECK(record.ok());
      record->generation = kOther;
      record->embedding_size = kSize / 2;
      record->model = Later();
      raw.PutPayload(Family::kCollections, key, EncodeCollection(*record));
    }
    gallery_ = OpenOrDie(directory(), clock_);
  }

  static ModelKey Later() {
    return {.model_digest = std::string(64, 'c'), .preprocessing_digest = std::string(64, 'd')};
  }
};

TEST_F(LaterGenerationTest, ServesTheTemplatesOfItsGeneration) {
  EXPECT_EQ(gallery_->Stats()->templates, 2u);
  const auto found = gallery_->Search("people", Later(), other_erased_, {.k = 1});
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->front().identity, "zebra-crossing");
}

TEST_F(LaterGenerationTest, AddsAndMovesTemplatesOfItsGeneration) {
  const std::vector<NewTemplate> one{TemplateOf(RandomEmbedding(random_, kSize / 2))};
  ASSERT_THAT(gallery_->Enrol("people", "zebra-crossing", Later(), one, {}), IsOk());
  ASSERT_THAT(gallery_->MergeIdentities("people", {.id = "zebra-crossing", .etag = {}},
                                        {.id = "staying-behind", .etag = {}}),
              IsOk());
  gallery_.reset();
  size_t of_generation = 0;
  for (const std::string& key : RawStore(directory()).Keys(Family::kTemplates)) {
    if (DecodeTemplateKey(key)->generation == kOther) ++of_generation;
  }
  EXPECT_EQ(of_generation, 3u);
}

}  // namespace
}  // namespace facegate
