#include "server/rpc/resource_messages.h"

#include <string>

#include "server/rpc/resource_name.h"

namespace facegate {
namespace {

v1::TemplateSource ToMessage(TemplateSource source) {
  switch (source) {
    case TemplateSource::kUnknown:
      return v1::TEMPLATE_SOURCE_UNSPECIFIED;
    case TemplateSource::kImage:
      return v1::TEMPLATE_SOURCE_IMAGE;
    case TemplateSource::kAlignedCrop:
      return v1::TEMPLATE_SOURCE_ALIGNED_CROP;
    case TemplateSource::kEmbedding:
      return v1::TEMPLATE_SOURCE_EMBEDDING;
  }
  return v1::TEMPLATE_SOURCE_UNSPECIFIED;
}

v1::Fusion ToMessage(Fusion fusion) {
  switch (fusion) {
    case Fusion::kMeanTemplate:
      return v1::FUSION_MEAN_TEMPLATE;
    case Fusion::kMeanOfTwoBest:
      return v1::FUSION_MEAN_OF_TWO_BEST;
    case Fusion::kBestTemplate:
      break;
  }
  return v1::FUSION_BEST_TEMPLATE;
}

v1::SearchKind ToMessage(SearchKind search) {
  switch (search) {
    case SearchKind::kHnsw:
      return v1::SEARCH_KIND_HNSW;
    case SearchKind::kIvf:
      return v1::SEARCH_KIND_IVF;
    case SearchKind::kExact:
      break;
  }
  return v1::SEARCH_KIND_EXACT;
}

}  // namespace

void FillTimestamp(int64_t unix_us, google::protobuf::Timestamp* out) {
  constexpr int64_t kMicrosPerSecond = 1'000'000;
  out->set_seconds(unix_us / kMicrosPerSecond);
  out->set_nanos(static_cast<int32_t>(unix_us % kMicrosPerSecond * 1000));
}

void FillCollection(const CollectionInfo& info, const ModelKey& server_model, v1::Collection* out) {
  out->set_name(CollectionName(info.id));
  out->set_id(info.id);
  FillTimestamp(info.create_time_us, out->mutable_create_time());
  if (info.settings.min_cosine.has_value()) out->set_min_cosine(*info.settings.min_cosine);
  out->set_model_digest(info.model.model_digest);
  out->set_preprocessing_digest(info.model.preprocessing_digest);
  out->set_usable(info.model == server_model);
  out->set_identity_count(info.identity_count);
  out->set_template_count(info.template_count);
  out->set_etag(info.etag);
  FillTimestamp(info.update_time_us, out->mutable_update_time());
  const CollectionSettings& settings = info.settings;
  if (settings.enrol_quality.has_value()) out->set_enrol_quality(*settings.enrol_quality);
  if (settings.probe_quality.has_value()) out->set_probe_quality(*settings.probe_quality);
  if (settings.identity_match_fmr.has_value()) {
    out->set_identity_match_fmr(*settings.identity_match_fmr);
  }
  if (settings.duplicate_fmr.has_value()) out->set_duplicate_fmr(*settings.duplicate_fmr);
  out->set_fusion(ToMessage(settings.fusion));
  out->set_cohort_normalisation(settings.cohort);
  out->set_search(ToMessage(settings.search));
  if (info.approximate.has_value()) {
    v1::ApproximateSearch* const approximate = out->mutable_approximate();
    approximate->set_indexed_templates(info.approximate->indexed);
    if (info.approximate->recall.has_value()) approximate->set_recall(*info.approximate->recall);
  }
}

void FillIdentity(std::string_view collection, const IdentityInfo& info, v1::Identity* out) {
  out->set_name(IdentityName(collection, info.id));
  out->set_id(info.id);
  FillTimestamp(info.create_time_us, out->mutable_create_time());
  FillTimestamp(info.update_time_us, out->mutable_update_time());
  out->set_template_count(info.template_count);
  for (const auto& [key, value] : info.labels) (*out->mutable_labels())[key] = value;
  out->set_etag(info.etag);
}

void FillTemplate(std::string_view collection, std::string_view identity, const TemplateInfo& info,
                  v1::Template* out) {
  out->set_name(TemplateName(collection, identity, info.id));
  out->set_id(info.id);
  FillTimestamp(info.create_time_us, out->mutable_create_time());
  out->set_model_digest(info.model.model_digest);
  out->set_preprocessing_digest(info.model.preprocessing_digest);
  out->set_detector(info.detector);
  out->set_detection_score(info.detection_score);
  out->set_source_digest(info.source_digest);
  out->set_source(ToMessage(info.source));
  if (info.quality.has_value()) out->set_quality(*info.quality);
}

}  // namespace facegate
