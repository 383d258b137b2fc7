#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/index/local/gallery_fixture.h"
#include "tests/support/faulty_store.h"

namespace facegate {
namespace {

// A gallery whose store fails when told to; "jane" has two templates.
class GalleryFaultsTest : public ::testing::Test {
 protected:
  static constexpr size_t kSize = 16;

  GalleryFaultsTest() { Open(); }

  void Open() {
    gallery_.reset();
    auto inner = OpenTemplateStore({.directory = dir_.File("store")});
    FACEGATE_CHECK(inner.ok());
    auto store = std::make_unique<FaultyStore>(*std::move(inner));
    store_ = store.get();
    auto gallery = OpenLocalGallery(std::move(store), {}, clock_);
    FACEGATE_CHECK(gallery.ok());
    gallery_ = *std::move(gallery);
    if (gallery_->Stats()->collections > 0) return;
    FACEGATE_CHECK(gallery_->CreateCollection("people", TestModel(), kSize, {}).ok());
    FACEGATE_CHECK(gallery_->Enrol("people", "jane", TestModel(), Templates(2), {}).ok());
  }

  std::vector<NewTemplate> Templates(size_t count) {
    std::vector<NewTemplate> templates;
    for (size_t i = 0; i < count; ++i) {
      templates.push_back(TemplateOf(RandomEmbedding(random_, kSize)));
    }
    return templates;
  }

  // `change` fails as the store does and changes nothing, here or on disk; then it works.
  void ExpectAllOrNothing(const std::function<Status()>& change) {
    const GallerySnapshot before = SnapshotOf(*gallery_);
    for (const Reason reason : {Reason::kStoreFull, Reason::kStoreCorrupt, Reason::kInternal}) {
      store_->FailNextWrite(Refuse(reason, "as told"));
      EXPECT_THAT(change(), RefusedWith(reason));
      EXPECT_EQ(SnapshotOf(*gallery_), before);
      ExpectSearchSeesWhatIsListed();
    }
    Open();
    EXPECT_EQ(SnapshotOf(*gallery_), before);
    EXPECT_THAT(change(), IsOk());
    const GallerySnapshot after = SnapshotOf(*gallery_);
    EXPECT_FALSE(after == before);
    Open();
    EXPECT_EQ(SnapshotOf(*gallery_), after);
  }

  void ExpectSearchSeesWhatIsListed() {
    const Embedding query = RandomEmbedding(random_, kSize);
    const auto found = gallery_->Search("people", TestModel(), query, {.k = SIZE_MAX});
    ASSERT_THAT(found, IsOk());
    const auto identities = IdentitiesOf(*gallery_, "people");
    size_t with_templates = 0;
    for (const auto& identity : identities) with_templates += identity.templates.empty() ? 0 : 1;
    EXPECT_EQ(found->size(), with_templates);
  }

  TempDir dir_;
  CountingClock clock_;
  std::mt19937_64 random_{7};
  FaultyStore* store_ = nullptr;
  std::unique_ptr<GalleryBackend> gallery_;
};

TEST_F(GalleryFaultsTest, CreatesACollectionOrNothing) {
  ExpectAllOrNothing(
      [&] { return gallery_->CreateCollection("more", TestModel(), 4, {}).status(); });
}

TEST_F(GalleryFaultsTest, ChangesSettingsOrNothing) {
  ExpectAllOrNothing([&] {
    return gallery_->UpdateCollection("people", {.set_min_cosine = true, .min_cosine = 0.25f}, "")
        .status();
  });
}

TEST_F(GalleryFaultsTest, DeletesACollectionOrNothing) {
  ExpectAllOrNothing([&] {
    Status deleted = gallery_->DeleteCollection("people", true);
    if (!deleted.ok()) return deleted;
    return gallery_->CreateCollection("people", TestModel(), kSize, {}).status();
  });
}

TEST_F(GalleryFaultsTest, EnrolsANewIdentityOrNothing) {
  ExpectAllOrNothing(
      [&] { return gallery_->Enrol("people", "john", TestModel(), Templates(3), {}).status(); });
}

TEST_F(GalleryFaultsTest, AddsTemplatesOrNothing) {
  ExpectAllOrNothing(
      [&] { return gallery_->Enrol("people", "jane", TestModel(), Templates(100), {}).status(); });
}

TEST_F(GalleryFaultsTest, DeletesAnIdentityOrNothing) {
  ExpectAllOrNothing([&] { return gallery_->DeleteIdentity("people", "jane").status(); });
}

TEST_F(GalleryFaultsTest, DeletesATemplateOrNothing) {
  const uint64_t id = gallery_->ListTemplates("people", "jane", 0, 1)->front().id;
  ExpectAllOrNothing([&] { return gallery_->DeleteTemplate("people", "jane", id); });
}

TEST_F(GalleryFaultsTest, ChangesLabelsOrNothing) {
  ExpectAllOrNothing([&] {
    return gallery_
        ->UpdateLabels("people", "jane",
                       {.replace_all = false, .set = {{"site", "2"}}, .remove = {}}, "")
        .status();
  });
}

TEST_F(GalleryFaultsTest, RenamesAnIdentityOrNothing) {
  ExpectAllOrNothing(
      [&] { return gallery_->RenameIdentity("people", "jane", "janet", "").status(); });
}

TEST_F(GalleryFaultsTest, MergesIdentitiesOrNothing) {
  FACEGATE_CHECK(gallery_->Enrol("people", "john", TestModel(), Templates(3), {}).ok());
  FACEGATE_CHECK(gallery_->Enrol("people", "jane", TestModel(), Templates(1), {}).ok());
  ExpectAllOrNothing([&] {
    return gallery_
        ->MergeIdentities("people", {.id = "john", .etag = {}}, {.id = "jane", .etag = {}})
        .status();
  });
}

// The same changes, each with a receipt: a change that fails leaves its request id free, one that
// is made leaves the answer.
class FaultsWithReceiptsTest : public GalleryFaultsTest {
 protected:
  FaultsWithReceiptsTest() {
    FACEGATE_CHECK(gallery_->Enrol("people", "john", TestModel(), Templates(3), {}).ok());
    // Stays when the other is deleted, or Open() would make that again.
    FACEGATE_CHECK(gallery_->CreateCollection("others", TestModel(), kSize, {}).ok());
  }

  StatusOr<RequestTicket> Begin() {
    return gallery_->BeginRequest(RequestId{{7}}, std::string(kFingerprintBytes, 'f'));
  }
  // `change` gets a receipt of any Result.
  template <typename Result>
  void ExpectAllOrNothingWithReceipt(const std::function<Status(const Receipt<Result>&)>& change) {
    ExpectAllOrNothing([&]() -> Status {
      FACEGATE_ASSIGN_OR_RETURN(const RequestTicket ticket, Begin());
      EXPECT_FALSE(ticket.answer.has_value()) << "nothing was made yet";
      return change({.ticket = &ticket, .answer = [](const Result&) { return "made"; }});
    });
    const auto again = Begin();
    ASSERT_THAT(again, IsOk());
    EXPECT_EQ(again->answer, "made");
  }
};

TEST_F(FaultsWithReceiptsTest, CreatesACollection) {
  ExpectAllOrNothingWithReceipt<CollectionInfo>([&](const Receipt<CollectionInfo>& receipt) {
    return gallery_->CreateCollection("more", TestModel(), 4, {}, receipt).status();
  });
}

TEST_F(FaultsWithReceiptsTest, ChangesSettings) {
  ExpectAllOrNothingWithReceipt<CollectionInfo>([&](const Receipt<CollectionInfo>& receipt) {
    return gallery_
        ->UpdateCollection("people", {.set_min_cosine = true, .min_cosine = 0.25f}, "", receipt)
        .status();
  });
}

TEST_F(FaultsWithReceiptsTest, DeletesACollection) {
  ExpectAllOrNothingWithReceipt<Deleted>([&](const Receipt<Deleted>& receipt) {
    return gallery_->DeleteCollection("people", true, receipt);
  });
}

TEST_F(FaultsWithReceiptsTest, Enrols) {
  ExpectAllOrNothingWithReceipt<EnrolResult>([&](const Receipt<EnrolResult>& receipt) {
    return gallery_->Enrol("people", "jane", TestModel(), Templates(2), {}, receipt).status();
  });
}

TEST_F(FaultsWithReceiptsTest, ChangesLabels) {
  ExpectAllOrNothingWithReceipt<IdentityInfo>([&](const Receipt<IdentityInfo>& receipt) {
    return gallery_
        ->UpdateLabels("people", "jane",
                       {.replace_all = true, .set = {{"site", "2"}}, .remove = {}}, "", receipt)
        .status();
  });
}

TEST_F(FaultsWithReceiptsTest, Renames) {
  ExpectAllOrNothingWithReceipt<IdentityInfo>([&](const Receipt<IdentityInfo>& receipt) {
    return gallery_->RenameIdentity("people", "jane", "janet", "", receipt).status();
  });
}

TEST_F(FaultsWithReceiptsTest, Merges) {
  ExpectAllOrNothingWithReceipt<MergeResult>([&](const Receipt<MergeResult>& receipt) {
    return gallery_
        ->MergeIdentities("people", {.id = "john", .etag = {}}, {.id = "jane", .etag = {}}, receipt)
        .status();
  });
}

TEST_F(FaultsWithReceiptsTest, DeletesAnIdentity) {
  ExpectAllOrNothingWithReceipt<uint64_t>([&](const Receipt<uint64_t>& receipt) {
    return gallery_->DeleteIdentity("people", "jane", "", receipt).status();
  });
}

TEST_F(FaultsWithReceiptsTest, DeletesATemplate) {
  const uint64_t id = gallery_->ListTemplates("people", "jane", 0, 1)->front().id;
  ExpectAllOrNothingWithReceipt<Deleted>([&](const Receipt<Deleted>& receipt) {
    return gallery_->DeleteTemplate("people", "jane", id, receipt);
  });
}

// The failure comes while numbers are reserved in one case and at the write in the other.
TEST_F(GalleryFaultsTest, EnrolsNothingWhenTheWriteItselfFails) {
  const GallerySnapshot before = SnapshotOf(*gallery_);
  bool armed = true;
  store_->SetBeforeWrite([&] {
    if (armed) store_->FailNextWrite(Refuse(Reason::kStoreFull, "as told"));
  });
  for (int i = 0; i < 200; ++i) {
    EXPECT_THAT(gallery_->Enrol("people", "john", TestModel(), Templates(5), {}),
                RefusedWith(Reason::kStoreFull));
  }
  EXPECT_EQ(SnapshotOf(*gallery_), before);
  armed = false;
  EXPECT_THAT(gallery_->Enrol("people", "john", TestModel(), Templates(100), {}), IsOk());
  EXPECT_EQ(gallery_->Stats()->templates, 102u);
}

TEST_F(GalleryFaultsTest, DoesNotReuseNumbersOfFailedEnrolments) {
  uint64_t last = gallery_->ListTemplates("people", "jane", 0, 9)->back().id;
  store_->SetBeforeWrite([this, count = 0]() mutable {
    if (count++ % 2 == 0) store_->FailNextWrite(Refuse(Reason::kStoreFull, "as told"));
  });
  EXPECT_THAT(gallery_->Enrol("people", "jane", TestModel(), Templates(4), {}),
              RefusedWith(Reason::kStoreFull));
  const auto result = gallery_->Enrol("people", "jane", TestModel(), Templates(1), {});
  ASSERT_THAT(result, IsOk());
  EXPECT_GT(result->template_ids.front(), last + 4);
}

TEST_F(GalleryFaultsTest, APolicyOfScoresStaysWhereItCannotBeStored) {
  const Embedding probe = RandomEmbedding(random_, kSize);
  const auto score = [&] { return gallery_->Score("people", "jane", TestModel(), probe)->score; };
  const float best = score();
  const auto change = [&] {
    return gallery_->UpdateCollection("people", {.fusion = Fusion::kMeanTemplate}, "").status();
  };
  store_->FailNextWrite(Refuse(Reason::kStoreFull, "as told"));
  EXPECT_THAT(change(), RefusedWith(Reason::kStoreFull));
  EXPECT_EQ(score(), best);
  EXPECT_THAT(gallery_->Enrol("people", "john", TestModel(), Templates(1), {}), IsOk());
  EXPECT_THAT(change(), IsOk());
  EXPECT_NE(score(), best);
}

}  // namespace
}  // namespace facegate
