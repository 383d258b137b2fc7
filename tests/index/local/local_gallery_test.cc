#include "index/local/local_gallery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <optional>

#include "tests/index/local/gallery_fixture.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> NamesOf(const std::vector<Candidate>& candidates) {
  std::vector<std::string> names;
  names.reserve(candidates.size());
  for (const Candidate& candidate : candidates) names.push_back(candidate.identity);
  return names;
}

using LocalGalleryTest = GalleryTest;

TEST_F(LocalGalleryTest, TellsWhatACollectionWasMadeWith) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const CollectionInfo made,
      gallery_->CreateCollection("c", TestModel(), 4, {.min_cosine = -0.5f}));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const CollectionInfo got, gallery_->GetCollection("c"));
  for (const CollectionInfo& info : {made, got}) {
    EXPECT_EQ(info.id, "c");
    EXPECT_EQ(info.model, TestModel());
    EXPECT_EQ(info.embedding_size, 4);
    EXPECT_EQ(info.settings.min_cosine, -0.5f);
    EXPECT_GT(info.create_time_us, 1'700'000'000'000'000);
    EXPECT_EQ(info.identity_count, 0u);
    EXPECT_EQ(info.template_count, 0u);
  }
}

TEST_F(LocalGalleryTest, RefusesASecondCollectionOfTheSameId) {
  EXPECT_THAT(gallery_->CreateCollection("people", TestModel(), 4, {}),
              RefusedWith(Reason::kCollectionExists));
  EXPECT_THAT(gallery_->CreateCollection("People", TestModel(), 4, {}), IsOk());
}

TEST_F(LocalGalleryTest, RefusesCollectionsThatMakeNoSense) {
  EXPECT_THAT(gallery_->CreateCollection("a b", TestModel(), 4, {}),
              RefusedWith(Reason::kInvalidField));
  EXPECT_THAT(gallery_->CreateCollection("c", TestModel(), 4, {.min_cosine = 1.5f}),
              RefusedWith(Reason::kInvalidField));
  EXPECT_THAT(gallery_->CreateCollection("c", TestModel(), 0, {}),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(gallery_->CreateCollection("c", TestModel(), kMaxEmbeddingSize + 1, {}),
              StatusIs(StatusCode::kInvalidArgument));
  ModelKey model = TestModel();
  model.model_digest = "\xff\xfe";
  EXPECT_THAT(gallery_->CreateCollection("c", model, 4, {}),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_EQ(gallery_->Stats()->collections, 1u);
}

TEST_F(LocalGalleryTest, RefusesIdsOutsideThePatternWithoutRepeatingThem) {
  const std::string bad = "Jane Doe";
  const Embedding query = Random();
  const std::vector<NewTemplate> one{TemplateOf(query)};
  for (const Status& status :
       {gallery_->GetCollection(bad).status(), gallery_->DeleteCollection(bad, true),
        gallery_->Enrol("people", bad, TestModel(), one, {}).status(),
        gallery_->GetIdentity("people", bad).status(),
        gallery_->ListIdentities(bad, "", 5).status(),
        gallery_->DeleteIdentity("people", bad).status(),
        gallery_->ListTemplates("people", bad, 0, 5).status(),
        gallery_->GetEmbedding("people", bad, 1).status(),
        gallery_->DeleteTemplate("people", bad, 1), Search(query, 1, bad).status(),
        gallery_->Score("people", bad, TestModel(), query).status()}) {
    EXPECT_THAT(status, RefusedWith(Reason::kInvalidField));
    EXPECT_EQ(MessageOf(status).find("Jane"), std::string_view::npos);
  }
}

TEST_F(LocalGalleryTest, TellsWhatIsNotThere) {
  const Embedding query = Random();
  const std::vector<NewTemplate> one{TemplateOf(query)};
  for (const Status& status :
       {gallery_->GetCollection("no").status(), gallery_->DeleteCollection("no", true),
        gallery_->Enrol("no", "i", TestModel(), one, {}).status(),
        gallery_->GetIdentity("no", "i").status(), gallery_->ListIdentities("no", "", 5).status(),
        gallery_->DeleteIdentity("no", "i").status(),
        gallery_->ListTemplates("no", "i", 0, 5).status(),
        gallery_->GetEmbedding("no", "i", 1).status(), gallery_->DeleteTemplate("no", "i", 1),
        Search(query, 1, "no").status(), gallery_->Score("no", "i", TestModel(), query).status()}) {
    EXPECT_THAT(status, RefusedWith(Reason::kCollectionNotFound));
  }
  for (const Status& status : {gallery_->GetIdentity("people", "i").status(),
                               gallery_->DeleteIdentity("people", "i").status(),
                               gallery_->ListTemplates("people", "i", 0, 5).status(),
                               gallery_->GetEmbedding("people", "i", 1).status(),
                               gallery_->DeleteTemplate("people", "i", 1),
                               gallery_->Score("people", "i", TestModel(), query).status()}) {
    EXPECT_THAT(status, RefusedWith(Reason::kIdentityNotFound));
  }
  const uint64_t id = Enrol("i", query);
  const uint64_t other = Enrol("j", query);
  EXPECT_THAT(gallery_->GetEmbedding("people", "i", other), RefusedWith(Reason::kTemplateNotFound));
  EXPECT_THAT(gallery_->DeleteTemplate("people", "i", other),
              RefusedWith(Reason::kTemplateNotFound));
  EXPECT_THAT(gallery_->DeleteTemplate("people", "i", id), IsOk());
  EXPECT_THAT(gallery_->Score("people", "i", TestModel(), query),
              RefusedWith(Reason::kTemplateNotFound));
}

TEST_F(LocalGalleryTest, EnrolsTemplatesInOrderAndTellsThem) {
  const Embedding first = Random();
  const std::vector<NewTemplate> templates{
      {.embedding = first, .detector = "yunet", .detection_score = 0.5f},
      {.embedding = Random(), .detector = "none", .detection_score = 0.0f}};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const EnrolResult result,
                                gallery_->Enrol("people", "jane", TestModel(), templates, {}));
  EXPECT_TRUE(result.created_identity);
  EXPECT_EQ(result.identity.id, "jane");
  EXPECT_EQ(result.identity.template_count, 2u);
  EXPECT_EQ(result.identity.create_time_us, result.identity.update_time_us);
  ASSERT_EQ(result.template_ids.size(), 2u);
  EXPECT_LT(result.template_ids[0], result.template_ids[1]);

  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto listed, gallery_->ListTemplates("people", "jane", 0, 9));
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].id, result.template_ids[0]);
  EXPECT_EQ(listed[0].detector, "yunet");
  EXPECT_EQ(listed[0].detection_score, 0.5f);
  EXPECT_EQ(listed[0].model, TestModel());
  EXPECT_EQ(listed[1].detector, "none");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Embedding stored,
                                gallery_->GetEmbedding("people", "jane", result.template_ids[0]));
  EXPECT_EQ(stored, first);
}

TEST_F(LocalGalleryTest, AddsToAnIdentityUnlessItMustBeNew) {
  const uint64_t first = Enrol("jane", Random());
  const std::vector<NewTemplate> one{TemplateOf(Random())};
  EXPECT_THAT(gallery_->Enrol("people", "jane", TestModel(), one, {.must_be_new = true}),
              RefusedWith(Reason::kIdentityExists));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const EnrolResult result,
                                gallery_->Enrol("people", "jane", TestModel(), one, {}));
  EXPECT_FALSE(result.created_identity);
  EXPECT_EQ(result.identity.template_count, 2u);
  EXPECT_GT(result.identity.update_time_us, result.identity.create_time_us);
  EXPECT_GT(result.template_ids.front(), first);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto after,
                                gallery_->ListTemplates("people", "jane", first, 9));
  ASSERT_EQ(after.size(), 1u);
  EXPECT_EQ(after[0].id, result.template_ids.front());
}

TEST_F(LocalGalleryTest, RefusesTemplatesThatDoNotFit) {
  const auto enrol = [&](const ModelKey& model, std::vector<NewTemplate> templates) {
    return gallery_->Enrol("people", "jane", model, templates, {});
  };
  ModelKey other = TestModel();
  other.preprocessing_digest = std::string(64, 'c');
  EXPECT_THAT(enrol(other, {TemplateOf(Random())}), RefusedWith(Reason::kModelMismatch));
  EXPECT_THAT(enrol(TestModel(), {TemplateOf(RandomEmbedding(random_, kSize + 1))}),
              RefusedWith(Reason::kEmbeddingInvalid));
  EXPECT_THAT(enrol(TestModel(), {TemplateOf(Random()), TemplateOf(Embedding())}),
              RefusedWith(Reason::kEmbeddingInvalid));
  EXPECT_THAT(enrol(TestModel(), {}), StatusIs(StatusCode::kInvalidArgument));
  NewTemplate odd = TemplateOf(Random());
  odd.detector = "\xff";
  EXPECT_THAT(enrol(TestModel(), {odd}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_EQ(gallery_->Stats()->identities, 0u);
}

TEST_F(LocalGalleryTest, RefusesTemplatesOfAQualityThatIsNone) {
  for (const float bad : {-0.25f, 1.5f, std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<NewTemplate> one{TemplateOf(Random())};
    one[0].quality = bad;
    EXPECT_THAT(gallery_->Enrol("people", "jane", TestModel(), one, {}),
                StatusIs(StatusCode::kInvalidArgument))
        << bad;
  }
}

TEST_F(LocalGalleryTest, KeepsWhatATemplateWasMadeFromThroughMergesAndReopening) {
  std::vector<NewTemplate> one{TemplateOf(Random())};
  one[0].source = TemplateSource::kAlignedCrop;
  one[0].quality = 0.75f;
  ASSERT_THAT(gallery_->Enrol("people", "jane", TestModel(), one, {}), IsOk());
  Enrol("joan", Random());
  ASSERT_THAT(
      gallery_->MergeIdentities("people", {.id = "jane", .etag = {}}, {.id = "joan", .etag = {}}),
      IsOk());
  for (const bool reopened : {false, true}) {
    if (reopened) Reopen();
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto listed,
                                  gallery_->ListTemplates("people", "joan", 0, 9));
    ASSERT_EQ(listed.size(), 2u);
    EXPECT_EQ(listed[0].source, TemplateSource::kAlignedCrop) << reopened;
    EXPECT_EQ(listed[0].quality, 0.75f) << reopened;
    EXPECT_EQ(listed[1].source, TemplateSource::kUnknown) << reopened;
    EXPECT_EQ(listed[1].quality, std::nullopt) << reopened;
  }
}

TEST_F(LocalGalleryTest, RefusesQueriesThatDoNotFit) {
  Enrol("jane", Random());
  ModelKey other = TestModel();
  other.model_digest = std::string(64, 'c');
  const Embedding query = Random();
  const Embedding longer = RandomEmbedding(random_, kSize + 1);
  EXPECT_THAT(gallery_->Search("people", other, query, {.k = 1}),
              RefusedWith(Reason::kModelMismatch));
  EXPECT_THAT(gallery_->Score("people", "jane", other, query), RefusedWith(Reason::kModelMismatch));
  EXPECT_THAT(Search(longer, 1), RefusedWith(Reason::kEmbeddingInvalid));
  EXPECT_THAT(Search(Embedding(), 1), RefusedWith(Reason::kEmbeddingInvalid));
  EXPECT_THAT(gallery_->Score("people", "jane", TestModel(), longer),
              RefusedWith(Reason::kEmbeddingInvalid));
}

TEST_F(LocalGalleryTest, FindsTheBestTemplateOfEachIdentity) {
  const Embedding query = Random();
  Enrol("far", Random());
  Enrol("near", Random());
  const uint64_t best = Enrol("near", RandomEmbeddingNear(random_, query, 0.1f));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto found, Search(query, 10));
  ASSERT_THAT(NamesOf(found), ElementsAre("near", "far"));
  EXPECT_EQ(found[0].template_id, best);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Embedding stored,
                                gallery_->GetEmbedding("people", "near", best));
  EXPECT_EQ(found[0].cosine, CosineScore(query.values(), stored.values()));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Candidate score,
                                gallery_->Score("people", "near", TestModel(), query));
  EXPECT_EQ(score.identity, "near");
  EXPECT_EQ(score.template_id, best);
  EXPECT_EQ(score.cosine, found[0].cosine);
  EXPECT_THAT(*Search(query, 0), IsEmpty());
}

TEST_F(LocalGalleryTest, GivesTiesToTheLowerTemplate) {
  const Embedding twin = Random();
  const uint64_t first = Enrol("zoe", twin);
  Enrol("adam", twin);
  Enrol("zoe", twin);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto found, Search(twin, 2));
  EXPECT_THAT(NamesOf(found), ElementsAre("zoe", "adam"));
  EXPECT_EQ(found[0].template_id, first);
  EXPECT_EQ(gallery_->Score("people", "zoe", TestModel(), twin)->template_id, first);
}

TEST_F(LocalGalleryTest, KeepsCollectionsApart) {
  ASSERT_THAT(gallery_->CreateCollection("others", TestModel(), kSize, {}), IsOk());
  const Embedding embedding = Random();
  Enrol("jane", embedding);
  Enrol("john", embedding, "others");
  EXPECT_THAT(NamesOf(*Search(embedding, 9)), ElementsAre("jane"));
  EXPECT_THAT(NamesOf(*Search(embedding, 9, "others")), ElementsAre("john"));
  EXPECT_THAT(gallery_->GetIdentity("others", "jane"), RefusedWith(Reason::kIdentityNotFound));
}

TEST_F(LocalGalleryTest, ForgetsWhatIsDeletedAtOnce) {
  const Embedding embedding = Random();
  const uint64_t first = Enrol("jane", embedding);
  const uint64_t second = Enrol("jane", Random());
  Enrol("john", Random());
  ASSERT_THAT(gallery_->DeleteTemplate("people", "jane", first), IsOk());
  EXPECT_EQ(Search(embedding, 9)->size(), 2u);
  EXPECT_EQ(gallery_->Score("people", "jane", TestModel(), embedding)->template_id, second);
  EXPECT_EQ(gallery_->GetIdentity("people", "jane")->template_count, 1u);

  FACEGATE_ASSERT_OK_AND_ASSIGN(const uint64_t count, gallery_->DeleteIdentity("people", "jane"));
  EXPECT_EQ(count, 1u);
  EXPECT_THAT(NamesOf(*Search(embedding, 9)), ElementsAre("john"));
  EXPECT_THAT(gallery_->DeleteIdentity("people", "jane"), RefusedWith(Reason::kIdentityNotFound));
}

TEST_F(LocalGalleryTest, KeepsAnIdentityWithoutTemplates) {
  const uint64_t id = Enrol("jane", Random());
  ASSERT_THAT(gallery_->DeleteTemplate("people", "jane", id), IsOk());
  for (int round = 0; round < 2; ++round) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const IdentityInfo info, gallery_->GetIdentity("people", "jane"));
    EXPECT_EQ(info.template_count, 0u);
    EXPECT_GT(info.update_time_us, info.create_time_us);
    EXPECT_THAT(*Search(Random(), 9), IsEmpty());
    Reopen();
  }
  EXPECT_THAT(gallery_->DeleteCollection("people", false),
              RefusedWith(Reason::kCollectionNotEmpty));
  EXPECT_EQ(*gallery_->DeleteIdentity("people", "jane"), 0u);
}

TEST_F(LocalGalleryTest, DeletesCollectionsOnlyEmptyOrByForce) {
  Enrol("jane", Random());
  EXPECT_THAT(gallery_->DeleteCollection("people", false),
              RefusedWith(Reason::kCollectionNotEmpty));
  EXPECT_THAT(gallery_->DeleteCollection("people", true), IsOk());
  EXPECT_THAT(Search(Random(), 1), RefusedWith(Reason::kCollectionNotFound));
  ASSERT_THAT(gallery_->CreateCollection("people", TestModel(), 4, {}), IsOk());
  EXPECT_EQ(gallery_->GetCollection("people")->identity_count, 0u);
  EXPECT_THAT(gallery_->DeleteCollection("people", false), IsOk());
  Reopen();
  EXPECT_EQ(gallery_->Stats()->collections, 0u);
}

TEST_F(LocalGalleryTest, PagesThroughIdentitiesInOrderOfBytes) {
  for (const char* name : {"b", "a", "B", "a-1", "a.1", "10", "9"}) Enrol(name, Random());
  std::vector<std::string> names;
  std::string after;
  int pages = 0;
  do {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto page, gallery_->ListIdentities("people", after, 3));
    for (const IdentityInfo& info : page.items) names.push_back(info.id);
    after = page.next_after;
    ++pages;
  } while (!after.empty());
  EXPECT_THAT(names, ElementsAre("10", "9", "B", "a", "a-1", "a.1", "b"));
  EXPECT_EQ(pages, 3);
  // A full last page says that it is the last.
  EXPECT_EQ(gallery_->ListIdentities("people", "", 7)->next_after, "");
  EXPECT_THAT(gallery_->ListIdentities("people", "", 0)->items, IsEmpty());
}

TEST_F(LocalGalleryTest, PagesThroughCollections) {
  for (const char* name : {"x", "c"}) {
    ASSERT_THAT(gallery_->CreateCollection(name, TestModel(), 4, {}), IsOk());
  }
  const auto first = gallery_->ListCollections("", 2).value();
  ASSERT_EQ(first.items.size(), 2u);
  EXPECT_EQ(first.items[0].id, "c");
  EXPECT_EQ(first.next_after, "people");
  const auto second = gallery_->ListCollections(first.next_after, 2).value();
  ASSERT_EQ(second.items.size(), 1u);
  EXPECT_EQ(second.items[0].id, "x");
  EXPECT_EQ(second.next_after, "");
}

TEST_F(LocalGalleryTest, IsTheSameAfterReopening) {
  ASSERT_THAT(gallery_->CreateCollection("others", TestModel(), 3, {.min_cosine = 0.5f}), IsOk());
  for (int i = 0; i < 300; ++i) Enrol("person-" + std::to_string(i % 90), Random());
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(gallery_->DeleteIdentity("people", "person-" + std::to_string(i)), IsOk());
  }
  const GallerySnapshot before = SnapshotOf(*gallery_);
  const Embedding query = Random();
  const auto found = Search(query, 30);
  Reopen();
  EXPECT_EQ(SnapshotOf(*gallery_), before);
  const auto found_again = Search(query, 30);
  ASSERT_EQ(found->size(), found_again->size());
  for (size_t i = 0; i < found->size(); ++i) {
    EXPECT_EQ((*found)[i].identity, (*found_again)[i].identity);
    EXPECT_EQ((*found)[i].template_id, (*found_again)[i].template_id);
    EXPECT_EQ((*found)[i].cosine, (*found_again)[i].cosine);
  }
}

TEST_F(LocalGalleryTest, NeverGivesANumberTwice) {
  uint64_t last = 0;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 3; ++i) {
      const uint64_t id = Enrol("jane", Random());
      EXPECT_GT(id, last);
      last = id;
    }
    ASSERT_THAT(gallery_->DeleteIdentity("people", "jane"), IsOk());
    Reopen();
  }
}

TEST_F(LocalGalleryTest, IsOpenInOnePlaceAtATime) {
  CountingClock clock;
  const auto second = OpenLocalGallery({.directory = directory()}, clock);
  EXPECT_THAT(second, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_NE(MessageOf(second.status()).find("in use"), std::string_view::npos);
}

TEST_F(LocalGalleryTest, LetsItsOwnerAloneReadTheDirectory) {
  EXPECT_EQ(std::filesystem::status(directory()).permissions(), std::filesystem::perms::owner_all);
}

TEST_F(LocalGalleryTest, CountsEverything) {
  ASSERT_THAT(gallery_->CreateCollection("others", TestModel(), kSize, {}), IsOk());
  Enrol("a", Random());
  Enrol("a", Random());
  Enrol("b", Random(), "others");
  const GalleryStats stats = gallery_->Stats().value();
  EXPECT_EQ(stats.collections, 2u);
  EXPECT_EQ(stats.identities, 2u);
  EXPECT_EQ(stats.templates, 3u);
}

}  // namespace
}  // namespace facegate
