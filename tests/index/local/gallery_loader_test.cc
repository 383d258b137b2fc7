#include "index/local/gallery_loader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "face/base/coding.h"
#include "index/store/envelope.h"
#include "tests/index/local/gallery_fixture.h"
#include "tests/index/store/raw_store.h"

namespace facegate {
namespace {

// Two identities of two templates each lie in a closed store, and the request that labelled one.
class GalleryLoaderTest : public GalleryTest {
 protected:
  GalleryLoaderTest() {
    for (const char* name : {"jane", "john", "jane", "john"}) Enrol(name, Random());
    {
      const auto ticket =
          gallery_->BeginRequest(RequestId{{1}}, std::string(kFingerprintBytes, 'f'));
      FACEGATE_CHECK(ticket.ok());
      const Receipt<IdentityInfo> receipt{.ticket = &*ticket,
                                          .answer = [](const IdentityInfo&) { return "of jane"; }};
      const LabelChange labels{.replace_all = false, .set = {{"site", "2"}}, .remove = {}};
      FACEGATE_CHECK(gallery_->UpdateLabels("people", "jane", labels, "", receipt).ok());
    }
    gallery_.reset();
  }

  // A request below `owner`, with an id of its own.
  void PutRequest(const IdentityKey& owner, uint8_t id) {
    const StoredRequest request{.key = {.owner = owner, .id = {{id}}},
                                .fingerprint = std::string(kFingerprintBytes, 'f'),
                                .create_time_us = clock_.UnixMicros(),
                                .answer = "of jane",
                                .erased = false,
                                .outdated = false};
    const std::string key = EncodeRequestKey(request.key);
    RawStore(directory())
        .Put(Family::kRequests, key, SealEnvelope(Family::kRequests, key, EncodeRequest(request)));
  }
  void DeleteRequest(const IdentityKey& owner, uint8_t id) {
    RawStore(directory())
        .Delete(Family::kRequests, EncodeRequestKey({.owner = owner, .id = {{id}}}));
  }

  Status Open() { return OpenLocalGallery({.directory = directory()}, clock_).status(); }
  void ExpectCorrupt(std::string_view words) {
    const Status status = Open();
    EXPECT_THAT(status, RefusedWith(Reason::kStoreCorrupt));
    EXPECT_NE(MessageOf(status).find(words), std::string_view::npos) << status;
    EXPECT_EQ(MessageOf(status).find("jane"), std::string_view::npos);
  }
};

TEST_F(GalleryLoaderTest, OpensAnIntactStore) { EXPECT_THAT(Open(), IsOk()); }

TEST_F(GalleryLoaderTest, FindsValuesThatChangedPlaces) {
  {
    RawStore raw(directory());
    const auto keys = raw.Keys(Family::kTemplates);
    const std::string first = raw.Get(Family::kTemplates, keys[0]);
    raw.Put(Family::kTemplates, keys[0], raw.Get(Family::kTemplates, keys[1]));
    raw.Put(Family::kTemplates, keys[1], first);
  }
  ExpectCorrupt("template record at collection 1, identity 2, template 3: checksum");
}

TEST_F(GalleryLoaderTest, FindsDamageInEveryKindOfRecord) {
  for (const auto& [family, words] : {std::pair{Family::kMeta, "meta record"},
                                      {Family::kCollections, "collection record"},
                                      {Family::kIdentities, "identity record"},
                                      {Family::kTemplates, "template record"},
                                      {Family::kRequests, "request record"}}) {
    std::string key;
    std::string value;
    {
      RawStore raw(directory());
      key = raw.Keys(family).back();
      value = raw.Get(family, key);
      std::string damaged = value;
      damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
      raw.Put(family, key, damaged);
    }
    ExpectCorrupt(words);
    RawStore(directory()).Put(family, key, value);
    EXPECT_THAT(Open(), IsOk());
  }
}

TEST_F(GalleryLoaderTest, FindsTemplatesWithoutTheirIdentity) {
  for (const size_t which : {size_t{0}, size_t{1}}) {
    std::string key;
    std::string value;
    {
      RawStore raw(directory());
      key = raw.Keys(Family::kIdentities)[which];
      value = raw.Get(Family::kIdentities, key);
      raw.Delete(Family::kIdentities, key);
    }
    ExpectCorrupt("there is no such identity");
    RawStore(directory()).Put(Family::kIdentities, key, value);
  }
}

TEST_F(GalleryLoaderTest, FindsIdentitiesAndTemplatesWithoutTheirCollection) {
  {
    RawStore raw(directory());
    raw.Delete(Family::kCollections, raw.Keys(Family::kCollections).front());
  }
  ExpectCorrupt("there is no such collection");
  {
    RawStore raw(directory());
    for (const std::string& key : raw.Keys(Family::kIdentities)) {
      raw.Delete(Family::kIdentities, key);
    }
  }
  ExpectCorrupt("there is no such identity");
}

TEST_F(GalleryLoaderTest, FindsRequestsWithoutTheirOwner) {
  // The last one has the number of a template.
  for (const auto& [owner, words] :
       {std::pair{IdentityKey{.collection = 1, .identity = 99}, "there is no such identity"},
        {IdentityKey{.collection = 99, .identity = 98}, "there is no such collection"},
        {IdentityKey{.collection = 99, .identity = 0}, "there is no such collection"},
        {IdentityKey{.collection = 1, .identity = 3}, "there is no such identity"}}) {
    PutRequest(owner, 2);
    ExpectCorrupt(fmt::format("request record at collection {}, identity {}: {}", owner.collection,
                              owner.identity, words));
    DeleteRequest(owner, 2);
  }
  EXPECT_THAT(Open(), IsOk());
}

TEST_F(GalleryLoaderTest, FindsARequestThatLostItsIdentity) {
  {
    RawStore raw(directory());
    for (const std::string& key : raw.Keys(Family::kTemplates)) raw.Delete(Family::kTemplates, key);
    raw.Delete(Family::kIdentities, raw.Keys(Family::kIdentities).front());
  }
  ExpectCorrupt("request record at collection 1, identity 2: there is no such identity");
}

TEST_F(GalleryLoaderTest, TakesRequestsThatHaveNoOwner) {
  PutRequest({.collection = 1, .identity = 0}, 2);
  PutRequest({.collection = 0, .identity = 0}, 3);
  ASSERT_THAT(Open(), IsOk());
  Reopen();
  for (const uint8_t id : {uint8_t{1}, uint8_t{2}, uint8_t{3}}) {
    const auto ticket =
        gallery_->BeginRequest(RequestId{{id}}, std::string(kFingerprintBytes, 'f'));
    ASSERT_THAT(ticket, IsOk());
    EXPECT_EQ(ticket->answer, "of jane");
  }
}

TEST_F(GalleryLoaderTest, FindsARequestIdGivenTwice) {
  PutRequest({.collection = 1, .identity = 0}, 1);
  ExpectCorrupt("its id is given twice");
}

TEST_F(GalleryLoaderTest, FindsRequestsWithNumbersThatWereNeverGivenOut) {
  PutRequest({.collection = 1, .identity = 1'000'000}, 2);
  ExpectCorrupt("was never given out");
}

TEST_F(GalleryLoaderTest, FindsMissingMetaRecords) {
  for (const std::string_view missing : {kFormatKey, kCountersKey}) {
    const std::string key(missing);
    std::string value;
    {
      RawStore raw(directory());
      value = raw.Get(Family::kMeta, key);
      raw.Delete(Family::kMeta, key);
    }
    ExpectCorrupt("is missing");
    RawStore(directory()).Put(Family::kMeta, key, value);
  }
  {
    RawStore raw(directory());
    for (const std::string& key : raw.Keys(Family::kMeta)) raw.Delete(Family::kMeta, key);
  }
  ExpectCorrupt("holds records but the meta records are missing");
}

TEST_F(GalleryLoaderTest, FindsNumbersThatWereNeverGivenOut) {
  const std::string key(kCountersKey);
  RawStore(directory())
      .Put(Family::kMeta, key, SealEnvelope(Family::kMeta, key, EncodeCounters(2)));
  ExpectCorrupt("was never given out");
}

TEST_F(GalleryLoaderTest, FindsKeysOfAnotherShape) {
  RawStore(directory()).Put(Family::kTemplates, "short", "value");
  ExpectCorrupt("a key of 5 bytes in the family templates");
  RawStore(directory()).Delete(Family::kTemplates, "short");
  // As templates had them in earlier formats.
  const std::string old =
      EncodeCropKey({.owner = {.collection = 1, .identity = 2}, .template_id = 3});
  RawStore(directory()).Put(Family::kTemplates, old, "value");
  ExpectCorrupt("a key of 24 bytes in the family templates");
  RawStore(directory()).Delete(Family::kTemplates, old);
  // An identity's key is too short for a request, and a request's id is never zero.
  for (const std::string& key :
       {EncodeIdentityKey({.collection = 1, .identity = 2}),
        EncodeRequestKey({.owner = {.collection = 1, .identity = 2}, .id = {}})}) {
    RawStore(directory()).Put(Family::kRequests, key, "value");
    ExpectCorrupt(fmt::format("a key of {} bytes in the family requests", key.size()));
    RawStore(directory()).Delete(Family::kRequests, key);
  }
}

TEST_F(GalleryLoaderTest, FindsTemplatesOfAnotherModelOrLength) {
  std::string key;
  std::string value;
  {
    RawStore raw(directory());
    key = raw.Keys(Family::kTemplates).front();
    value = raw.Get(Family::kTemplates, key);
  }
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string_view payload,
                                OpenEnvelope(Family::kTemplates, key, value));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const StoredTemplate good,
                                DecodeTemplate(*DecodeTemplateKey(key), payload));
  const auto put = [&](const StoredTemplate& stored) {
    RawStore(directory())
        .Put(Family::kTemplates, key,
             SealEnvelope(Family::kTemplates, key, EncodeTemplate(stored)));
  };
  StoredTemplate bad = good;
  bad.model.model_digest = std::string(64, 'f');
  put(bad);
  ExpectCorrupt("another model");
  bad = good;
  bad.embedding = RandomEmbedding(random_, kSize - 1);
  put(bad);
  ExpectCorrupt("embedding has 15 values, the collection's have 16");
}

TEST_F(GalleryLoaderTest, FindsTemplatesOfAnotherGenerationWithoutTheirIdentity) {
  {
    RawStore raw(directory());
    const std::string key = raw.Keys(Family::kTemplates).front();
    TemplateKey stray = *DecodeTemplateKey(key);
    stray.generation = 1;
    stray.owner.identity = stray.template_id;  // which is none of an identity
    raw.PutPayload(Family::kTemplates, EncodeTemplateKey(stray),
                   raw.GetPayload(Family::kTemplates, key));
  }
  ExpectCorrupt("of generation 1: there is no such identity");
}

TEST_F(GalleryLoaderTest, FindsIdsGivenTwice) {
  {
    RawStore raw(directory());
    const std::string key = EncodeIdentityKey({.collection = 1, .identity = 7});
    const std::string payload = EncodeIdentity({.key = {.collection = 1, .identity = 7},
                                                .id = "jane",
                                                .create_time_us = clock_.UnixMicros(),
                                                .update_time_us = 1,
                                                .revision = 1,
                                                .labels = {}});
    raw.Put(Family::kIdentities, key, SealEnvelope(Family::kIdentities, key, payload));
  }
  ExpectCorrupt("identity 7: its id is given twice");
}

TEST_F(GalleryLoaderTest, RefusesAStoreOfALaterVersion) {
  std::string version;
  AppendLittleEndian(version, uint32_t{5});
  const std::string key(kFormatKey);
  RawStore(directory()).Put(Family::kMeta, key, SealEnvelope(Family::kMeta, key, version));
  const Status status = Open();
  EXPECT_THAT(status, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_NE(MessageOf(status).find("format 5"), std::string_view::npos);
}

TEST_F(GalleryLoaderTest, RefusesAVersionThatNeverWas) {
  const std::string key(kFormatKey);
  for (const std::string& version : {std::string(4, '\0'), std::string("\2"), std::string()}) {
    RawStore(directory()).Put(Family::kMeta, key, SealEnvelope(Family::kMeta, key, version));
    EXPECT_FALSE(Open().ok());
  }
}

TEST_F(GalleryLoaderTest, RefusesToBeginAnewOverAStoreThatLostItsCurrentFile) {
  std::filesystem::remove(directory() + "/CURRENT");
  ExpectCorrupt("no file CURRENT");
}

TEST_F(GalleryLoaderTest, FindsAMissingTable) {
  size_t removed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory())) {
    if (entry.path().extension() == ".sst" && removed == 0) {
      std::filesystem::remove(entry.path());
      ++removed;
    }
  }
  ASSERT_EQ(removed, 1u);
  EXPECT_THAT(Open(), RefusedWith(Reason::kStoreCorrupt));
}

TEST_F(GalleryLoaderTest, RefusesADirectoryThatIsAFile) {
  std::ofstream(dir_.File("file")) << "x";
  EXPECT_THAT(OpenLocalGallery({.directory = dir_.File("file")}, clock_),
              StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(OpenLocalGallery({.directory = ""}, clock_), StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(GalleryLoaderTest, MakesNestedDirectories) {
  EXPECT_THAT(OpenLocalGallery({.directory = dir_.File("a/b/c/")}, clock_), IsOk());
  EXPECT_TRUE(std::filesystem::exists(dir_.path() / "a/b/c/CURRENT"));
}

// More identities than one part holds, on more and fewer threads.
TEST_F(GalleryLoaderTest, LoadsInPartsOnAnyNumberOfThreads) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(auto store, OpenTemplateStore({.directory = directory()}));
  std::vector<std::jthread> writers;  // share their syncs
  for (uint64_t t = 0; t < 32; ++t) {
    writers.emplace_back([&store, t] {
      std::mt19937_64 random(t);
      for (uint64_t i = 0; i < 140; ++i) {
        const auto first = store->ReserveUids(3);
        FACEGATE_CHECK(first.ok());
        const StoredIdentity identity{.key = {.collection = 1, .identity = *first},
                                      .id = fmt::format("p{}", *first),
                                      .create_time_us = 1,
                                      .update_time_us = 1,
                                      .revision = 1,
                                      .labels = {}};
        StoreChange change;
        change.identities.push_back(identity);
        for (uint64_t j = 0; j < i % 3; ++j) {
          change.templates.push_back({.key = {.owner = identity.key, .template_id = *first + 1 + j},
                                      .embedding = RandomEmbedding(random, kSize),
                                      .model = TestModel(),
                                      .detector = "none",
                                      .detection_score = 0,
                                      .create_time_us = 1});
        }
        FACEGATE_CHECK(store->Write(change).ok());
      }
    });
  }
  writers.clear();
  store.reset();
  std::optional<GallerySnapshot> expected;
  for (const size_t threads : {size_t{1}, size_t{2}, size_t{7}}) {
    auto gallery = OpenLocalGallery({.directory = directory(), .load_threads = threads}, clock_);
    ASSERT_THAT(gallery, IsOk());
    EXPECT_EQ((*gallery)->Stats()->identities, 4482u);
    EXPECT_EQ((*gallery)->Stats()->templates, 4452u);
    const GallerySnapshot snapshot = SnapshotOf(**gallery);
    EXPECT_EQ(snapshot, expected.value_or(snapshot));
    expected = snapshot;
  }
}

}  // namespace
}  // namespace facegate
