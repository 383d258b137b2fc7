#include "index/store/template_record.h"

#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <limits>
#include <random>

#include "face/base/coding.h"
#include "facegate/storage/v1/records.pb.h"
#include "tests/support/random_embedding.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

StoredCollection SomeCollection() {
  return {.uid = 3,
          .id = "people",
          .model = {.model_digest = "m", .preprocessing_digest = "p"},
          .embedding_size = 512,
          .settings = {.min_cosine = 0.25f,
                       .fusion = Fusion::kMeanTemplate,
                       .cohort = true,
                       .search = SearchKind::kIvf},
          .create_time_us = 1'700'000'000'000'001};
}

StoredTemplate SomeTemplate() {
  std::mt19937_64 random(5);
  return {.key = {.owner = {.collection = 3, .identity = 4}, .template_id = 5},
          .embedding = RandomEmbedding(random, 64),
          .model = {.model_digest = "m", .preprocessing_digest = "p"},
          .detector = "yunet",
          .detection_score = 0.93f,
          .create_time_us = 17};
}

TEST(TemplateRecordTest, ReadsBackCollections) {
  StoredCollection collection = SomeCollection();
  for (const bool has_cosine : {true, false}) {
    if (!has_cosine) collection.settings.min_cosine.reset();
    FACEGATE_ASSERT_OK_AND_ASSIGN(const StoredCollection read,
                                  DecodeCollection(3, EncodeCollection(collection)));
    EXPECT_EQ(read.uid, collection.uid);
    EXPECT_EQ(read.id, collection.id);
    EXPECT_EQ(read.model, collection.model);
    EXPECT_EQ(read.embedding_size, collection.embedding_size);
    EXPECT_EQ(read.settings.min_cosine, collection.settings.min_cosine);
    EXPECT_EQ(read.settings.fusion, collection.settings.fusion);
    EXPECT_EQ(read.settings.cohort, collection.settings.cohort);
    EXPECT_EQ(read.settings.search, collection.settings.search);
    EXPECT_EQ(read.create_time_us, collection.create_time_us);
  }
}

TEST(TemplateRecordTest, ReadsBackTheGenerationOfACollection) {
  StoredCollection collection = SomeCollection();
  EXPECT_EQ(DecodeCollection(3, EncodeCollection(collection))->generation, 0u)
      << "as records that do not have it";
  collection.generation = UINT32_MAX;
  EXPECT_EQ(DecodeCollection(3, EncodeCollection(collection))->generation, UINT32_MAX);
}

TEST(TemplateRecordTest, ReadsBackIdentities) {
  const StoredIdentity identity{.key = {.collection = 3, .identity = 4},
                                .id = "a-b",
                                .create_time_us = 5,
                                .update_time_us = 6,
                                .revision = 7,
                                .labels = {{"badge", "17"}, {"site", "Zürich"}}};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const StoredIdentity read,
                                DecodeIdentity(identity.key, EncodeIdentity(identity)));
  EXPECT_EQ(read.key, identity.key);
  EXPECT_EQ(read.id, identity.id);
  EXPECT_EQ(read.create_time_us, identity.create_time_us);
  EXPECT_EQ(read.update_time_us, identity.update_time_us);
  EXPECT_EQ(read.revision, identity.revision);
  EXPECT_EQ(read.labels, identity.labels);
}

TEST(TemplateRecordTest, ReadsBackTemplatesToTheBit) {
  const StoredTemplate stored = SomeTemplate();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const StoredTemplate read,
                                DecodeTemplate(stored.key, EncodeTemplate(stored)));
  EXPECT_EQ(read.key, stored.key);
  EXPECT_EQ(read.model, stored.model);
  EXPECT_EQ(read.detector, stored.detector);
  EXPECT_EQ(read.detection_score, stored.detection_score);
  EXPECT_EQ(read.create_time_us, stored.create_time_us);
  ASSERT_EQ(read.embedding.size(), stored.embedding.size());
  for (size_t i = 0; i < read.embedding.size(); ++i) {
    EXPECT_EQ(std::bit_cast<uint32_t>(read.embedding.values()[i]),
              std::bit_cast<uint32_t>(stored.embedding.values()[i]));
  }
}

TEST(TemplateRecordTest, StoresEmbeddingLittleEndian) {
  StoredTemplate stored = SomeTemplate();
  stored.embedding = UnitOf(std::vector<float>{1.0f, 0.0f});
  storage::v1::TemplateRecord record;
  ASSERT_TRUE(record.ParseFromString(EncodeTemplate(stored)));
  EXPECT_EQ(record.embedding(), std::string("\x00\x00\x80\x3f\x00\x00\x00\x00", 8));
}

TEST(TemplateRecordTest, RefusesNumbersThatDifferFromTheKey) {
  EXPECT_THAT(DecodeCollection(4, EncodeCollection(SomeCollection())),
              RefusedWith(Reason::kStoreCorrupt));
  StoredTemplate stored = SomeTemplate();
  const std::string payload = EncodeTemplate(stored);
  stored.key.template_id = 6;
  EXPECT_THAT(DecodeTemplate(stored.key, payload), RefusedWith(Reason::kStoreCorrupt));
}

TEST(TemplateRecordTest, RefusesEmbeddingsThatAreNoUnitVectors) {
  const StoredTemplate stored = SomeTemplate();
  storage::v1::TemplateRecord good;
  ASSERT_TRUE(good.ParseFromString(EncodeTemplate(stored)));
  std::string not_a_number;
  AppendLittleEndian(not_a_number, uint32_t{0x7fc00000});
  for (const std::string& bytes :
       {std::string(), good.embedding().substr(1), good.embedding().substr(128),
        good.embedding() + good.embedding(), not_a_number + not_a_number, not_a_number}) {
    storage::v1::TemplateRecord record = good;
    record.set_embedding(bytes);
    EXPECT_THAT(DecodeTemplate(stored.key, record.SerializeAsString()),
                RefusedWith(Reason::kStoreCorrupt))
        << bytes.size();
  }
}

TEST(TemplateRecordTest, RefusesCollectionsThatBreakARule) {
  storage::v1::CollectionRecord good;
  ASSERT_TRUE(good.ParseFromString(EncodeCollection(SomeCollection())));
  const auto expect_refused = [](const storage::v1::CollectionRecord& record) {
    EXPECT_THAT(DecodeCollection(3, record.SerializeAsString()),
                RefusedWith(Reason::kStoreCorrupt));
  };
  auto record = good;
  record.set_id("no spaces");
  expect_refused(record);
  record = good;
  record.set_embedding_size(0);
  expect_refused(record);
  record.set_embedding_size(4'000'000'000u);
  expect_refused(record);
  record = good;
  record.set_min_cosine(1.5f);
  expect_refused(record);
  record.set_min_cosine(std::numeric_limits<float>::quiet_NaN());
  expect_refused(record);
  record = good;
  record.set_fusion(static_cast<storage::v1::CollectionRecord::Fusion>(3));
  expect_refused(record);
  record = good;
  record.set_search(static_cast<storage::v1::CollectionRecord::Search>(3));
  expect_refused(record);
}

TEST(TemplateRecordTest, ReadsBackTheQualitiesThatACollectionWants) {
  StoredCollection collection = SomeCollection();
  collection.settings.enrol_quality = 0.75f;
  collection.settings.probe_quality = 0.0f;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const StoredCollection read,
                                DecodeCollection(3, EncodeCollection(collection)));
  EXPECT_EQ(read.settings.enrol_quality, 0.75f);
  EXPECT_EQ(read.settings.probe_quality, 0.0f);
}

TEST(TemplateRecordTest, ReadsBackWhatATemplateWasMadeFrom) {
  StoredTemplate stored = SomeTemplate();
  stored.source = TemplateSource::kAlignedCrop;
  stored.quality = 0.75f;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const StoredTemplate read,
                                DecodeTemplate(stored.key, EncodeTemplate(stored)));
  EXPECT_EQ(read.source, TemplateSource::kAlignedCrop);
  EXPECT_EQ(read.quality, 0.75f);
}

TEST(TemplateRecordTest, RecordsOfEarlierVersionsSayNothingOfQuality) {
  storage::v1::TemplateRecord face;
  ASSERT_TRUE(face.ParseFromString(EncodeTemplate(SomeTemplate())));
  face.clear_source();
  face.clear_quality();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const StoredTemplate read,
                                DecodeTemplate(SomeTemplate().key, face.SerializeAsString()));
  EXPECT_EQ(read.source, TemplateSource::kUnknown);
  EXPECT_EQ(read.quality, std::nullopt);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const StoredCollection collection,
                                DecodeCollection(3, EncodeCollection(SomeCollection())));
  EXPECT_EQ(collection.settings.enrol_quality, std::nullopt);
  EXPECT_EQ(collection.settings.probe_quality, std::nullopt);
}

TEST(TemplateRecordTest, RefusesQualitiesAndSourcesThatAreNone) {
  constexpr float kNoNumber = std::numeric_limits<float>::quiet_NaN();
  for (const float bad : {-0.25f, 1.5f, kNoNumber}) {
    StoredCollection collection = SomeCollection();
    collection.settings.enrol_quality = bad;
    EXPECT_THAT(DecodeCollection(3, EncodeCollection(collection)),
                RefusedWith(Reason::kStoreCorrupt))
        << bad;
    collection.settings = {.probe_quality = bad};
    EXPECT_THAT(DecodeCollection(3, EncodeCollection(collection)),
                RefusedWith(Reason::kStoreCorrupt))
        << bad;
    StoredTemplate stored = SomeTemplate();
    stored.quality = bad;
    EXPECT_THAT(DecodeTemplate(stored.key, EncodeTemplate(stored)),
                RefusedWith(Reason::kStoreCorrupt))
        << bad;
  }
  StoredTemplate stored = SomeTemplate();
  stored.source = static_cast<TemplateSource>(4);
  EXPECT_THAT(DecodeTemplate(stored.key, EncodeTemplate(stored)),
              RefusedWith(Reason::kStoreCorrupt));
}

// Calls `check` with the payload cut off at each byte, and with bytes of it changed.
template <typename Check>
void ForEachDamage(const std::string& payload, std::mt19937_64& random, const Check& check) {
  for (size_t size = 0; size < payload.size(); ++size) check(payload.substr(0, size));
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = payload;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    check(damaged);
  }
}

// Whatever the bytes are, the answer is a record that keeps the rules or kStoreCorrupt.
TEST(TemplateRecordTest, SurvivesTruncatedAndDamagedPayloads) {
  std::mt19937_64 random(11);
  const StoredTemplate stored = SomeTemplate();
  const std::string payload = EncodeTemplate(stored);
  const auto check = [&](const std::string& bytes) {
    const auto read = DecodeTemplate(stored.key, bytes);
    if (read.ok()) {
      EXPECT_EQ(read->key, stored.key);
      EXPECT_GT(read->embedding.size(), 0u);
    } else {
      EXPECT_THAT(read, RefusedWith(Reason::kStoreCorrupt));
    }
  };
  ForEachDamage(payload, random, check);
}

TEST(TemplateRecordTest, RefusesIdentitiesThatBreakARule) {
  const IdentityKey key{.collection = 3, .identity = 4};
  storage::v1::IdentityRecord good;
  ASSERT_TRUE(good.ParseFromString(EncodeIdentity({.key = key,
                                                   .id = "a-b",
                                                   .create_time_us = 5,
                                                   .update_time_us = 6,
                                                   .revision = 7,
                                                   .labels = {{"badge", "Jane"}, {"site", "2"}}})));
  ASSERT_THAT(DecodeIdentity(key, good.SerializeAsString()), IsOk());
  const auto expect_refused = [&](const std::function<void(storage::v1::IdentityRecord&)>& spoil) {
    storage::v1::IdentityRecord record = good;
    spoil(record);
    const auto read = DecodeIdentity(key, record.SerializeAsString());
    EXPECT_THAT(read, RefusedWith(Reason::kStoreCorrupt));
    EXPECT_EQ(MessageOf(read.status()).find("Jane"), std::string_view::npos);
    EXPECT_EQ(MessageOf(read.status()).find("badge"), std::string_view::npos);
    EXPECT_EQ(FieldOf(read.status()), "") << "no request is to blame";
  };
  expect_refused([](auto& record) { record.set_id("a b"); });
  expect_refused([](auto& record) { record.set_uid(5); });
  expect_refused([](auto& record) { *record.add_labels() = record.labels(0); });
  expect_refused([](auto& record) { record.mutable_labels(1)->set_key("badge"); });
  expect_refused([](auto& record) { record.mutable_labels(1)->clear_key(); });
  expect_refused([](auto& record) { record.mutable_labels(1)->set_key("Site"); });
  expect_refused([](auto& record) { record.mutable_labels(1)->set_value("a\nb"); });
  expect_refused([](auto& record) { record.mutable_labels(1)->set_value(std::string(257, 'x')); });
  expect_refused([](auto& record) {
    for (int i = 0; i < 63; ++i) record.add_labels()->set_key("k" + std::to_string(i));
  });
}

StoredRequest SomeRequest() {
  return {.key = {.owner = {.collection = 3, .identity = 4}, .id = {{1, 2, 3}}},
          .fingerprint = std::string(kFingerprintBytes, '\xfe'),
          .create_time_us = 1'700'000'000'000'001,
          .answer = std::string("\x00\xff any bytes", 12),
          .erased = false};
}

TEST(TemplateRecordTest, ReadsBackRequests) {
  StoredRequest request = SomeRequest();
  for (const bool erased : {false, true}) {
    request.erased = erased;
    if (erased) request.answer.clear();
    FACEGATE_ASSERT_OK_AND_ASSIGN(const StoredRequest read,
                                  DecodeRequest(request.key, EncodeRequest(request)));
    EXPECT_EQ(read.key, request.key);
    EXPECT_EQ(read.fingerprint, request.fingerprint);
    EXPECT_EQ(read.create_time_us, request.create_time_us);
    EXPECT_EQ(read.answer, request.answer);
    EXPECT_EQ(read.erased, request.erased);
  }
}

// The answer of a deletion has no bytes; it is an answer all the same.
TEST(TemplateRecordTest, TellsAnEmptyAnswerFromAnErasedOne) {
  StoredRequest request = SomeRequest();
  request.answer.clear();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const StoredRequest read,
                                DecodeRequest(request.key, EncodeRequest(request)));
  EXPECT_FALSE(read.erased);
}

TEST(TemplateRecordTest, RefusesRequestsThatBreakARule) {
  const StoredRequest request = SomeRequest();
  const auto expect_refused = [&](const StoredRequest& bad) {
    EXPECT_THAT(DecodeRequest(bad.key, EncodeRequest(bad)), RefusedWith(Reason::kStoreCorrupt));
  };
  StoredRequest bad = request;
  bad.fingerprint.pop_back();
  expect_refused(bad);
  bad.fingerprint += "xy";
  expect_refused(bad);
  bad.fingerprint.clear();
  expect_refused(bad);
  bad = request;
  bad.erased = true;
  expect_refused(bad);
  EXPECT_THAT(DecodeRequest(request.key, ""), RefusedWith(Reason::kStoreCorrupt));
}

TEST(TemplateRecordTest, SurvivesTruncatedAndDamagedRequests) {
  std::mt19937_64 random(12);
  const StoredRequest stored = SomeRequest();
  const std::string payload = EncodeRequest(stored);
  const auto check = [&](const std::string& bytes) {
    const auto read = DecodeRequest(stored.key, bytes);
    if (read.ok()) {
      EXPECT_EQ(read->key, stored.key);
      EXPECT_EQ(read->fingerprint.size(), kFingerprintBytes);
      EXPECT_TRUE(!read->erased || read->answer.empty());
    } else {
      EXPECT_THAT(read, RefusedWith(Reason::kStoreCorrupt));
    }
  };
  ForEachDamage(payload, random, check);
}

TEST(TemplateRecordTest, RefusesCountersOutOfRange) {
  EXPECT_EQ(*DecodeCounters(EncodeCounters(77)), 77u);
  EXPECT_THAT(DecodeCounters(""), RefusedWith(Reason::kStoreCorrupt));
  EXPECT_THAT(DecodeCounters(EncodeCounters(kUidLimit)), RefusedWith(Reason::kStoreCorrupt));
}

}  // namespace
}  // namespace facegate
