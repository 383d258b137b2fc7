#include "server/rpc/admin_service.h"

#include "face/image/align.h"
#include "server/rpc/resource_messages.h"

namespace facegate {
namespace {

void FillModel(const ModelCard& card, v1::ModelInfo* out) {
  const AlignmentTemplate alignment = card.preprocessing.alignment;
  const auto crop = CropSize(alignment);
  out->set_architecture(card.architecture);
  out->set_embedding_size(static_cast<uint32_t>(card.embedding_size));
  out->set_model_digest(card.model_digest);
  out->set_preprocessing_digest(card.preprocessing_digest);
  out->set_crop_width(static_cast<uint32_t>(crop.width));
  out->set_crop_height(static_cast<uint32_t>(crop.height));
  out->set_alignment(std::string(AlignmentName(alignment)));
  out->set_mirror_average(card.preprocessing.mirror_average);
  if (card.default_min_cosine.has_value()) out->set_default_min_cosine(*card.default_min_cosine);
  out->set_training_data(card.training_data);
  out->set_licence(card.licence);
  out->set_origin(card.origin);
  if (card.calibration.has_value()) out->set_calibration_id(card.calibration->id);
}

void FillLimits(const RequestLimits& limits, v1::Limits* out) {
  out->set_max_image_bytes(limits.max_image_bytes);
  out->set_max_image_pixels(limits.max_image_pixels);
  out->set_max_samples(limits.max_samples);
  out->set_max_candidates(limits.max_candidates);
  out->set_max_message_bytes(limits.max_message_bytes);
}

void FillCompute(const ServerFacts& facts, v1::ComputeInfo* compute) {
  compute->set_device(facts.compute.device);
  compute->set_device_name(facts.compute.device_name);
  compute->set_precision(facts.compute.precision);
  compute->set_model_threads(static_cast<uint32_t>(facts.compute.threads));
  compute->set_max_batch(facts.max_batch);
}

}  // namespace

AdminService::AdminService(const ServerFacts& facts, const ModelCard& card, const Gallery& gallery)
    : gallery_(gallery) {
  constant_.set_version(facts.version);
  FillTimestamp(facts.start_time_us, constant_.mutable_start_time());
  FillModel(card, constant_.mutable_model());
  constant_.set_detector(facts.detector);
  FillLimits(facts.limits, constant_.mutable_limits());
  constant_.mutable_security()->set_encryption_at_rest(facts.encryption_at_rest);
  constant_.mutable_security()->set_tls(facts.tls);
  FillCompute(facts, constant_.mutable_compute());
  constant_.set_enrol_quality(static_cast<float>(facts.quality.enrol));
  constant_.set_probe_quality(static_cast<float>(facts.quality.probe));
}

Status AdminService::GetServerInfo(const CallContext& /*call*/,
                                   const v1::GetServerInfoRequest& /*request*/,
                                   v1::GetServerInfoResponse* response) {
  *response = constant_;
  FACEGATE_ASSIGN_OR_RETURN(const GalleryStats stats, gallery_.Stats());
  response->set_collection_count(stats.collections);
  response->set_identity_count(stats.identities);
  response->set_template_count(stats.templates);
  response->set_search_device(stats.search_device);
  response->set_templates_on_card(stats.rows_on_card);
  return OkStatus();
}

}  // namespace facegate
