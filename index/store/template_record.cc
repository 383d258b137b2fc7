#include "index/store/template_record.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "face/base/check.h"
#include "face/base/coding.h"
#include "facegate/storage/v1/records.pb.h"
#include "index/labels.h"
#include "index/request_id.h"
#include "index/resource_id.h"
#include "index/store/corrupt.h"

namespace facegate {
namespace {

static_assert(std::numeric_limits<float>::is_iec559 && sizeof(float) == sizeof(uint32_t));

template <typename Message>
std::string Serialize(const Message& message) {
  std::string payload;
  FACEGATE_CHECK(message.SerializeToString(&payload));
  return payload;
}

template <typename Message>
StatusOr<Message> Parse(std::string_view payload) {
  Message message;
  if (payload.size() > static_cast<size_t>(std::numeric_limits<int>::max()) ||
      !message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return Corrupt(fmt::format("payload of {} bytes is not such a record", payload.size()));
  }
  return message;
}

Status CheckUid(uint64_t inside, uint64_t of_key) {
  if (inside == of_key) return OkStatus();
  return Corrupt(fmt::format("record says number {}, its key {}", inside, of_key));
}

std::string FloatBytes(std::span<const float> values) {
  std::string bytes;
  bytes.reserve(values.size() * sizeof(uint32_t));
  for (const float value : values) AppendLittleEndian(bytes, std::bit_cast<uint32_t>(value));
  return bytes;
}

StatusOr<Embedding> ParseEmbedding(std::string_view bytes) {
  if (bytes.empty() || bytes.size() % sizeof(uint32_t) != 0) {
    return Corrupt(fmt::format("embedding has {} bytes, expected a multiple of 4", bytes.size()));
  }
  std::vector<float> values;
  values.reserve(bytes.size() / sizeof(uint32_t));
  while (const auto bits = TakeLittleEndian<uint32_t>(bytes)) {
    values.push_back(std::bit_cast<float>(*bits));
  }
  StatusOr<Embedding> embedding = Embedding::FromUnit(std::move(values));
  if (!embedding.ok()) return Corrupt(MessageOf(embedding.status()));
  return embedding;
}

StatusOr<float> ParseQuality(float quality, std::string_view name) {
  // Written so that NaN fails.
  if (quality >= 0.0f && quality <= 1.0f) return quality;
  return Corrupt(fmt::format("{} is {}, expected 0 to 1", name, quality));
}

StatusOr<std::optional<double>> ParseRate(double value, std::string_view field) {
  if (value > 0.0 && value < 1.0) return std::optional<double>(value);
  return Corrupt(fmt::format("{} is {}, expected a rate above 0 and below 1", field, value));
}

StatusOr<Fusion> ParseFusion(int fusion) {
  if (fusion < static_cast<int>(Fusion::kBestTemplate) ||
      fusion > static_cast<int>(Fusion::kMeanOfTwoBest)) {
    return Corrupt(fmt::format("{} is no way to make a score of templates", fusion));
  }
  return static_cast<Fusion>(fusion);
}

StatusOr<SearchKind> ParseSearch(int search) {
  if (search < static_cast<int>(SearchKind::kExact) ||
      search > static_cast<int>(SearchKind::kIvf)) {
    return Corrupt(fmt::format("{} is no way to search templates", search));
  }
  return static_cast<SearchKind>(search);
}

StatusOr<TemplateSource> ParseSource(int source) {
  if (source < static_cast<int>(TemplateSource::kUnknown) ||
      source > static_cast<int>(TemplateSource::kEmbedding)) {
    return Corrupt(fmt::format("{} is no source of a template", source));
  }
  return static_cast<TemplateSource>(source);
}

static_assert(static_cast<int>(Fusion::kBestTemplate) ==
              storage::v1::CollectionRecord::BEST_TEMPLATE);
static_assert(static_cast<int>(Fusion::kMeanTemplate) ==
              storage::v1::CollectionRecord::MEAN_TEMPLATE);
static_assert(static_cast<int>(Fusion::kMeanOfTwoBest) ==
              storage::v1::CollectionRecord::MEAN_OF_TWO_BEST);
static_assert(static_cast<int>(SearchKind::kExact) == storage::v1::CollectionRecord::EXACT);
static_assert(static_cast<int>(SearchKind::kHnsw) == storage::v1::CollectionRecord::HNSW);
static_assert(static_cast<int>(SearchKind::kIvf) == storage::v1::CollectionRecord::IVF);
static_assert(static_cast<int>(TemplateSource::kImage) == storage::v1::TemplateRecord::IMAGE);
static_assert(static_cast<int>(TemplateSource::kAlignedCrop) ==
              storage::v1::TemplateRecord::ALIGNED_CROP);
static_assert(static_cast<int>(TemplateSource::kEmbedding) ==
              storage::v1::TemplateRecord::EMBEDDING);

}  // namespace

std::string EncodeCollection(const StoredCollection& collection) {
  storage::v1::CollectionRecord record;
  if (collection.deleted) {
    record.set_uid(collection.uid);
    record.set_deleted(true);
    return Serialize(record);
  }
  record.set_id(collection.id);
  record.set_uid(collection.uid);
  record.set_create_time_us(collection.create_time_us);
  record.set_model_digest(collection.model.model_digest);
  record.set_preprocessing_digest(collection.model.preprocessing_digest);
  record.set_embedding_size(static_cast<uint32_t>(collection.embedding_size));
  if (collection.settings.min_cosine.has_value()) {
    record.set_min_cosine(*collection.settings.min_cosine);
  }
  if (collection.settings.enrol_quality.has_value()) {
    record.set_enrol_quality(*collection.settings.enrol_quality);
  }
  if (collection.settings.probe_quality.has_value()) {
    record.set_probe_quality(*collection.settings.probe_quality);
  }
  if (collection.settings.identity_match_fmr.has_value()) {
    record.set_identity_match_fmr(*collection.settings.identity_match_fmr);
  }
  if (collection.settings.duplicate_fmr.has_value()) {
    record.set_duplicate_fmr(*collection.settings.duplicate_fmr);
  }
  record.set_fusion(static_cast<storage::v1::CollectionRecord::Fusion>(collection.settings.fusion));
  record.set_cohort(collection.settings.cohort);
  record.set_search(static_cast<storage::v1::CollectionRecord::Search>(collection.settings.search));
  record.set_generation(collection.generation);
  record.set_update_time_us(collection.update_time_us);
  record.set_revision(collection.revision);
  return Serialize(record);
}

std::string EncodeIdentity(const StoredIdentity& identity) {
  storage::v1::IdentityRecord record;
  record.set_id(identity.id);
  record.set_uid(identity.key.identity);
  record.set_create_time_us(identity.create_time_us);
  record.set_update_time_us(identity.update_time_us);
  record.set_revision(identity.revision);
  for (const auto& [key, value] : identity.labels) {
    storage::v1::Label* label = record.add_labels();
    label->set_key(key);
    label->set_value(value);
  }
  return Serialize(record);
}

std::string EncodeTemplate(const StoredTemplate& stored) {
  storage::v1::TemplateRecord record;
  record.set_id(stored.key.template_id);
  record.set_embedding(FloatBytes(stored.embedding.values()));
  record.set_model_digest(stored.model.model_digest);
  record.set_preprocessing_digest(stored.model.preprocessing_digest);
  record.set_detector(stored.detector);
  record.set_detection_score(stored.detection_score);
  record.set_create_time_us(stored.create_time_us);
  record.set_source_digest(stored.source_digest);
  record.set_source(static_cast<storage::v1::TemplateRecord::Source>(stored.source));
  if (stored.quality.has_value()) record.set_quality(*stored.quality);
  return Serialize(record);
}

std::string EncodeRequest(const StoredRequest& request) {
  storage::v1::RequestRecord record;
  record.set_fingerprint(request.fingerprint);
  record.set_create_time_us(request.create_time_us);
  record.set_answer(request.answer);
  record.set_erased(request.erased);
  record.set_outdated(request.outdated);
  return Serialize(record);
}

std::string EncodeCounters(uint64_t next_uid) {
  storage::v1::Counters record;
  record.set_next_uid(next_uid);
  return Serialize(record);
}

StatusOr<StoredCollection> DecodeCollection(uint64_t uid, std::string_view payload) {
  FACEGATE_ASSIGN_OR_RETURN(auto record, Parse<storage::v1::CollectionRecord>(payload));
  FACEGATE_RETURN_IF_ERROR(CheckUid(record.uid(), uid));
  if (record.deleted()) {
    StoredCollection deleted;
    deleted.uid = uid;
    deleted.deleted = true;
    return deleted;
  }
  if (!IsResourceId(record.id())) return Corrupt("the id inside is not a valid one");
  if (record.embedding_size() == 0 || record.embedding_size() > kMaxEmbeddingSize) {
    return Corrupt(fmt::format("embedding size is {}, expected 1 to {}", record.embedding_size(),
                               kMaxEmbeddingSize));
  }
  StoredCollection collection;
  collection.uid = uid;
  collection.id = std::move(*record.mutable_id());
  collection.model = {.model_digest = std::move(*record.mutable_model_digest()),
                      .preprocessing_digest = std::move(*record.mutable_preprocessing_digest())};
  collection.embedding_size = static_cast<int>(record.embedding_size());
  collection.create_time_us = record.create_time_us();
  // Records of before it could be changed do not say.
  collection.update_time_us =
      record.update_time_us() == 0 ? record.create_time_us() : record.update_time_us();
  collection.revision = record.revision();
  if (record.has_min_cosine()) {
    if (!(std::abs(record.min_cosine()) <= 1.0f)) {
      return Corrupt(fmt::format("min_cosine is {}, expected -1 to 1", record.min_cosine()));
    }
    collection.settings.min_cosine = record.min_cosine();
  }
  if (record.has_enrol_quality()) {
    FACEGATE_ASSIGN_OR_RETURN(collection.settings.enrol_quality,
                              ParseQuality(record.enrol_quality(), "enrol_quality"));
  }
  if (record.has_probe_quality()) {
    FACEGATE_ASSIGN_OR_RETURN(collection.settings.probe_quality,
                              ParseQuality(record.probe_quality(), "probe_quality"));
  }
  if (record.has_identity_match_fmr()) {
    FACEGATE_ASSIGN_OR_RETURN(collection.settings.identity_match_fmr,
                              ParseRate(record.identity_match_fmr(), "identity_match_fmr"));
  }
  if (record.has_duplicate_fmr()) {
    FACEGATE_ASSIGN_OR_RETURN(collection.settings.duplicate_fmr,
                              ParseRate(record.duplicate_fmr(), "duplicate_fmr"));
  }
  FACEGATE_ASSIGN_OR_RETURN(collection.settings.fusion, ParseFusion(record.fusion()));
  collection.settings.cohort = record.cohort();
  FACEGATE_ASSIGN_OR_RETURN(collection.settings.search, ParseSearch(record.search()));
  collection.generation = record.generation();
  return collection;
}

StatusOr<StoredIdentity> DecodeIdentity(const IdentityKey& key, std::string_view payload) {
  FACEGATE_ASSIGN_OR_RETURN(auto record, Parse<storage::v1::IdentityRecord>(payload));
  FACEGATE_RETURN_IF_ERROR(CheckUid(record.uid(), key.identity));
  if (!IsResourceId(record.id())) return Corrupt("the id inside is not a valid one");
  StoredIdentity identity{.key = key,
                          .id = std::move(*record.mutable_id()),
                          .create_time_us = record.create_time_us(),
                          .update_time_us = record.update_time_us(),
                          .revision = record.revision(),
                          .labels = {}};
  for (storage::v1::Label& label : *record.mutable_labels()) {
    if (!identity.labels.emplace(std::move(*label.mutable_key()), std::move(*label.mutable_value()))
             .second) {
      return Corrupt("a label is given twice");
    }
  }
  if (!CheckStoredLabels(identity.labels).ok())
    return Corrupt("the labels inside are not valid ones");
  return identity;
}

StatusOr<StoredTemplate> DecodeTemplate(const TemplateKey& key, std::string_view payload) {
  FACEGATE_ASSIGN_OR_RETURN(auto record, Parse<storage::v1::TemplateRecord>(payload));
  FACEGATE_RETURN_IF_ERROR(CheckUid(record.id(), key.template_id));
  FACEGATE_ASSIGN_OR_RETURN(Embedding embedding, ParseEmbedding(record.embedding()));
  FACEGATE_ASSIGN_OR_RETURN(const TemplateSource source, ParseSource(record.source()));
  std::optional<float> quality;  // templates of before it was measured have none
  if (record.has_quality()) {
    FACEGATE_ASSIGN_OR_RETURN(quality, ParseQuality(record.quality(), "quality"));
  }
  return StoredTemplate{
      .key = key,
      .embedding = std::move(embedding),
      .model = {.model_digest = std::move(*record.mutable_model_digest()),
                .preprocessing_digest = std::move(*record.mutable_preprocessing_digest())},
      .detector = std::move(*record.mutable_detector()),
      .detection_score = record.detection_score(),
      .create_time_us = record.create_time_us(),
      .source_digest = std::move(*record.mutable_source_digest()),
      .source = source,
      .quality = quality};
}

StatusOr<StoredRequest> DecodeRequest(const RequestKey& key, std::string_view payload) {
  FACEGATE_ASSIGN_OR_RETURN(auto record, Parse<storage::v1::RequestRecord>(payload));
  if (record.fingerprint().size() != kFingerprintBytes) {
    return Corrupt(fmt::format("fingerprint has {} bytes, expected {}", record.fingerprint().size(),
                               kFingerprintBytes));
  }
  if (record.erased() && !record.answer().empty()) return Corrupt("an erased answer is there");
  if (record.outdated() && !record.erased()) return Corrupt("an outdated answer is not erased");
  return StoredRequest{.key = key,
                       .fingerprint = std::move(*record.mutable_fingerprint()),
                       .create_time_us = record.create_time_us(),
                       .answer = std::move(*record.mutable_answer()),
                       .erased = record.erased(),
                       .outdated = record.outdated()};
}

StatusOr<uint64_t> DecodeCounters(std::string_view payload) {
  FACEGATE_ASSIGN_OR_RETURN(auto record, Parse<storage::v1::Counters>(payload));
  if (record.next_uid() == 0 || record.next_uid() >= kUidLimit) {
    return Corrupt(
        fmt::format("next number is {}, expected 1 to {}", record.next_uid(), kUidLimit - 1));
  }
  return record.next_uid();
}

}  // namespace facegate
