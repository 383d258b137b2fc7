#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "face/base/embedding.h"
#include "face/base/status.h"
#include "index/labels.h"
#include "index/store/key_codec.h"
#include "index/values.h"

// The records of the store in our own types, and their conversion to and from the payloads of
// protos/facegate/storage/v1/records.proto.
namespace facegate {

struct StoredCollection {
  uint64_t uid = 0;
  std::string id;
  ModelKey model;
  int embedding_size = 0;
  CollectionSettings settings;
  int64_t create_time_us = 0;
  int64_t update_time_us = 0;
  uint64_t revision = 0;    // counts the changes of the settings
  bool deleted = false;     // all but the number is gone; some of its requests are still there
  uint32_t generation = 0;  // of `model`, and so of the templates that count
};

struct StoredIdentity {
  IdentityKey key;
  std::string id;
  int64_t create_time_us = 0;
  int64_t update_time_us = 0;
  uint64_t revision = 0;  // counts the identity's changes
  Labels labels;
};

struct StoredTemplate {
  TemplateKey key;
  Embedding embedding;
  ModelKey model;
  std::string detector;
  float detection_score = 0.0f;
  int64_t create_time_us = 0;
  std::string source_digest{};
  TemplateSource source = TemplateSource::kUnknown;
  std::optional<float> quality{};
};

// A write that a client named, and the answer that it got.
struct StoredRequest {
  RequestKey key;
  std::string fingerprint;  // sha256 of the request, 32 bytes
  int64_t create_time_us = 0;
  std::string answer;
  bool erased = false;  // without the answer, because what it wrote was deleted since
  // Comes with `erased`: what it wrote is there, but no longer as the answer told.
  bool outdated = false;
};

inline constexpr int kMaxEmbeddingSize = 4096;

std::string EncodeCollection(const StoredCollection& collection);
std::string EncodeIdentity(const StoredIdentity& identity);
std::string EncodeTemplate(const StoredTemplate& record);
std::string EncodeRequest(const StoredRequest& request);
std::string EncodeCounters(uint64_t next_uid);

// The numbers of the key come from the caller and must agree with those inside. kStoreCorrupt when
// the payload is no such record or breaks a rule of its own; what depends on other records
// (templates and their collection's model) is the reader's to check.
StatusOr<StoredCollection> DecodeCollection(uint64_t uid, std::string_view payload);
StatusOr<StoredIdentity> DecodeIdentity(const IdentityKey& key, std::string_view payload);
StatusOr<StoredTemplate> DecodeTemplate(const TemplateKey& key, std::string_view payload);
StatusOr<StoredRequest> DecodeRequest(const RequestKey& key, std::string_view payload);
// Next number to be given out.
StatusOr<uint64_t> DecodeCounters(std::string_view payload);

}  // namespace facegate
