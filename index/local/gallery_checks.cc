#include "index/local/gallery_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "index/resource_id.h"

namespace facegate {
namespace {

constexpr size_t kMaxTextBytes = 128;

// Text for a stored record: protobuf would refuse to read back what is not UTF-8.
bool IsPlainText(std::string_view text) {
  return text.size() <= kMaxTextBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// Written so that NaN fails, here and below.
Status CheckMinCosine(const std::optional<float>& min_cosine) {
  if (!min_cosine.has_value() || std::abs(*min_cosine) <= 1.0f) return OkStatus();
  return RefuseField("min_cosine", fmt::format("min_cosine is {}, expected -1 to 1", *min_cosine));
}

Status CheckQuality(const std::optional<float>& quality, std::string_view field) {
  if (!quality.has_value() || (*quality >= 0.0f && *quality <= 1.0f)) return OkStatus();
  return RefuseField(field, fmt::format("{} is {}, expected 0 to 1", field, *quality));
}

Status CheckRate(const std::optional<double>& rate, std::string_view field) {
  if (!rate.has_value() || (*rate > 0.0 && *rate < 1.0)) return OkStatus();
  return RefuseField(field,
                     fmt::format("{} is {}, expected a rate above 0 and below 1", field, *rate));
}

Status CheckSettings(const CollectionSettings& settings) {
  FACEGATE_RETURN_IF_ERROR(CheckMinCosine(settings.min_cosine));
  FACEGATE_RETURN_IF_ERROR(CheckQuality(settings.enrol_quality, "enrol_quality"));
  FACEGATE_RETURN_IF_ERROR(CheckQuality(settings.probe_quality, "probe_quality"));
  FACEGATE_RETURN_IF_ERROR(CheckRate(settings.identity_match_fmr, "identity_match_fmr"));
  return CheckRate(settings.duplicate_fmr, "duplicate_fmr");
}

}  // namespace

Status CheckNewCollection(std::string_view collection, const ModelKey& model, int embedding_size,
                          const CollectionSettings& settings) {
  FACEGATE_RETURN_IF_ERROR(CheckResourceId(collection, "collection_id"));
  for (const std::string* digest : {&model.model_digest, &model.preprocessing_digest}) {
    if (digest->empty() || !IsPlainText(*digest)) {
      return InvalidArgument(
          fmt::format("a digest of the model is not 1 to {} printable characters", kMaxTextBytes));
    }
  }
  if (embedding_size < 1 || embedding_size > kMaxEmbeddingSize) {
    return InvalidArgument(
        fmt::format("embedding size is {}, expected 1 to {}", embedding_size, kMaxEmbeddingSize));
  }
  return CheckSettings(settings);
}

Status CheckChange(const CollectionChange& change) {
  // A setting that is not named is not looked at.
  return CheckSettings(
      {.min_cosine = change.set_min_cosine ? change.min_cosine : std::nullopt,
       .enrol_quality = change.set_enrol_quality ? change.enrol_quality : std::nullopt,
       .probe_quality = change.set_probe_quality ? change.probe_quality : std::nullopt,
       .identity_match_fmr =
           change.set_identity_match_fmr ? change.identity_match_fmr : std::nullopt,
       .duplicate_fmr = change.set_duplicate_fmr ? change.duplicate_fmr : std::nullopt});
}

Status CheckModel(const StoredCollection& collection, const ModelKey& model) {
  if (model == collection.model) return OkStatus();
  return Refuse(
      Reason::kModelMismatch,
      fmt::format("the collection is of model {} with preprocessing {}, not of model {} with "
                  "preprocessing {}",
                  collection.model.model_digest, collection.model.preprocessing_digest,
                  model.model_digest, model.preprocessing_digest));
}

Status CheckSize(const StoredCollection& collection, const Embedding& embedding) {
  if (embedding.size() == static_cast<size_t>(collection.embedding_size)) return OkStatus();
  return Refuse(Reason::kEmbeddingInvalid,
                fmt::format("embedding has {} values, the collection's have {}", embedding.size(),
                            collection.embedding_size));
}

Status CheckTemplates(const StoredCollection& collection, std::span<const NewTemplate> templates) {
  if (templates.empty()) return InvalidArgument("no templates to enrol, expected one or more");
  for (const NewTemplate& added : templates) {
    FACEGATE_RETURN_IF_ERROR(CheckSize(collection, added.embedding));
    // A record with another value would keep the store from being opened.
    if (const Status quality = CheckQuality(added.quality, "quality"); !quality.ok()) {
      return InvalidArgument(MessageOf(quality));
    }
    if (!IsPlainText(added.detector)) {
      return InvalidArgument(
          fmt::format("the name of a detector is not up to {} printable "
                      "characters",
                      kMaxTextBytes));
    }
  }
  return OkStatus();
}

Status CheckTemplateCount(size_t count) {
  if (count <= kMaxTemplatesOfIdentity) return OkStatus();
  return Refuse(Reason::kQuotaExceeded,
                fmt::format("the identity would have {} templates, it must have at most {}", count,
                            kMaxTemplatesOfIdentity));
}

Status TemplateNotFound() {
  return Refuse(Reason::kTemplateNotFound, "the identity has no such template");
}

}  // namespace facegate
