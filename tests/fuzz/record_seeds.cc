// Seeds for record_fuzz.cc: a record of each family as the store writes it, and damaged ones.
#include "index/store/envelope.h"
#include "index/store/template_record.h"
#include "tests/fuzz/seeds.h"
#include "tests/fuzz/stored_record.h"

namespace facegate {
namespace {

const ModelKey& Model() {
  static const ModelKey model{.model_digest = std::string(64, 'a'),
                              .preprocessing_digest = std::string(64, 'b')};
  return model;
}

StoredCollection Collection() {
  return {.uid = 1,
          .id = "people",
          .model = Model(),
          .embedding_size = 4,
          .settings = {.min_cosine = 0.5f},
          .create_time_us = 1'700'000'000'000'000};
}

StoredIdentity Identity() {
  return {.key = {.collection = 1, .identity = 2},
          .id = "ada",
          .create_time_us = 1'700'000'000'000'000,
          .update_time_us = 1'700'000'000'000'001,
          .revision = 3,
          .labels = {{"team", "blue"}, {"note", "made up"}}};
}

std::string TemplatePayload() {
  const StatusOr<Embedding> embedding = Embedding::FromUnit({0.5f, -0.5f, 0.5f, -0.5f});
  return EncodeTemplate({.key = {.owner = Identity().key, .template_id = 3},
                         .embedding = *embedding,
                         .model = Model(),
                         .detector = "yunet:123456789abc",
                         .detection_score = 0.9f,
                         .create_time_us = 1'700'000'000'000'002});
}

StoredRequest Request() {
  return {.key = {.owner = Identity().key,
                  .id = *ParseRequestId("c0ffee00-0000-4000-8000-000000000001")},
          .fingerprint = std::string(kFingerprintBytes, 'f'),
          .create_time_us = 1'700'000'000'000'003,
          .answer = "an answer"};
}

StoredRequest ErasedRequest() {
  StoredRequest request = Request();
  request.key.owner = {};
  request.answer.clear();
  request.erased = true;
  return request;
}

// The value has the right checksum in it.
Seed Whole(const std::string& name, Family family, const std::string& key,
           const std::string& payload) {
  const std::string value = SealEnvelope(family, key, payload);
  return {name,
          WriteStoredRecord({.family = family, .has_checksum = true, .key = key, .value = value})};
}

// The value has no checksum; the target adds it.
Seed Open(const std::string& name, Family family, const std::string& key,
          const std::string& payload) {
  const std::string value = SealEnvelope(family, key, payload);
  return {name, WriteStoredRecord({.family = family,
                                   .key = key,
                                   .value = std::string_view(value).substr(0, value.size() - 4)})};
}

// The byte of the envelope at `at` is another one: 0 is its version, 1 the cipher, 2 to 9 the key,
// 10 the size of the nonce.
Seed WithEnvelopeByte(const std::string& name, size_t at, char byte) {
  Seed seed = Open(name, Family::kMeta, std::string(kCountersKey), EncodeCounters(4097));
  seed.bytes.at(2 + kCountersKey.size() + at) = byte;
  return seed;
}

// The same record in an envelope of the first version, whose key is four bytes shorter.
Seed FirstVersion(const std::string& name, Family family, const std::string& key,
                  const std::string& payload) {
  Seed seed = Open(name, family, key, payload);
  seed.bytes.at(2 + key.size()) = 1;
  seed.bytes.erase(2 + key.size() + 2, 4);
  return seed;
}

}  // namespace

std::vector<Seed> RecordSeeds() {
  const std::string collection_key = EncodeCollectionKey(1);
  const std::string identity_key = EncodeIdentityKey(Identity().key);
  const std::string template_key =
      EncodeTemplateKey({.owner = Identity().key, .generation = 1, .template_id = 3});
  const std::string crop_key = EncodeCropKey({.owner = Identity().key, .template_id = 3});
  StoredCollection plain = Collection();
  plain.settings.min_cosine.reset();
  return {
      Open("collection", Family::kCollections, collection_key, EncodeCollection(Collection())),
      Open("collection_plain", Family::kCollections, collection_key, EncodeCollection(plain)),
      Open("identity", Family::kIdentities, identity_key, EncodeIdentity(Identity())),
      Open("template", Family::kTemplates, template_key, TemplatePayload()),
      Open("request", Family::kRequests, EncodeRequestKey(Request().key), EncodeRequest(Request())),
      Open("request_erased", Family::kRequests, EncodeRequestKey(ErasedRequest().key),
           EncodeRequest(ErasedRequest())),
      Open("crop", Family::kCrops, crop_key, "a picture"),
      Open("old_template_key", Family::kTemplates, crop_key, TemplatePayload()),
      FirstVersion("first_version", Family::kTemplates, template_key, TemplatePayload()),
      Open("counters", Family::kMeta, std::string(kCountersKey), EncodeCounters(4097)),
      Open("other_key", Family::kIdentities, EncodeIdentityKey({.collection = 1, .identity = 9}),
           EncodeIdentity(Identity())),
      Open("no_key", Family::kTemplates, "", TemplatePayload()),
      Open("no_payload", Family::kTemplates, template_key, ""),
      Whole("whole_collection", Family::kCollections, collection_key,
            EncodeCollection(Collection())),
      Whole("whole_identity", Family::kIdentities, identity_key, EncodeIdentity(Identity())),
      Whole("whole_template", Family::kTemplates, template_key, TemplatePayload()),
      Whole("whole_counters", Family::kMeta, std::string(kCountersKey), EncodeCounters(1)),
      WithEnvelopeByte("later_version", 0, 3),
      WithEnvelopeByte("encrypted", 1, 1),
      WithEnvelopeByte("key_id", 2, 1),
      WithEnvelopeByte("nonce", 10, 12),
  };
}

}  // namespace facegate
