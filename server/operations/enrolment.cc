#include "server/operations/enrolment.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "face/decide/threshold.h"

namespace facegate {
namespace {

// Early, so that no face is computed in vain; Gallery::Enrol() checks again, atomically.
StatusOr<CollectionInfo> CheckMayEnrol(const OperationParts& parts, const EnrolmentRequest& request,
                                       const StopCheck& stop) {
  FACEGATE_ASSIGN_OR_RETURN(
      CollectionInfo collection,
      GetUsableCollection(parts.gallery, request.collection, parts.engine.model(), stop));
  if (!request.must_be_new) return collection;
  const Status known =
      parts.gallery.GetIdentity(request.collection, request.identity, stop).status();
  if (known.ok()) return Refuse(Reason::kIdentityExists, "the identity exists already");
  if (ReasonOf(known) != Reason::kIdentityNotFound) return known;
  return collection;
}

// The face of each sample, good enough and by one pass through the model.
StatusOr<std::vector<EmbeddedFace>> EmbedSamples(const OperationParts& parts,
                                                 const std::vector<Sample>& samples, double wanted,
                                                 const Caller& caller) {
  std::vector<PreparedFace> faces;
  faces.reserve(samples.size());
  for (const Sample& sample : samples) {
    FACEGATE_ASSIGN_OR_RETURN(std::vector<PreparedFace> found,
                              PrepareProbe(sample.probe, parts.engine, parts.gallery, caller));
    FACEGATE_RETURN_IF_ERROR(AtProbe(CheckFitToEnrol(wanted, found.front()), sample.probe));
    faces.push_back(std::move(found.front()));
  }
  return parts.engine.Embed(std::move(faces), caller);
}

// The cosine of a guard, by the model card's calibration; nothing where there is no guard.
StatusOr<std::optional<float>> GuardThreshold(const ModelCard& card, std::optional<double> fmr,
                                              std::string_view guard) {
  if (!fmr.has_value()) return std::optional<float>();
  const auto threshold =
      ThresholdFor({.kind = OperatingPointKind::kFmr,
                    .value = *fmr,
                    .calibration = CalibrationSource::kModelCard},
                   card.calibration.has_value() ? &*card.calibration : nullptr, {});
  if (!threshold.ok()) {
    return Annotate(threshold.status(), fmt::format("the collection's {}", guard));
  }
  return std::optional<float>(static_cast<float>(threshold->min_cosine));
}

StatusOr<EnrolOptions> OptionsOf(const OperationParts& parts, const EnrolmentRequest& request,
                                 const CollectionSettings& settings) {
  EnrolOptions options{.must_be_new = request.must_be_new};
  FACEGATE_ASSIGN_OR_RETURN(
      options.consistent_from,
      GuardThreshold(parts.engine.card(), settings.identity_match_fmr, "identity_match_fmr"));
  FACEGATE_ASSIGN_OR_RETURN(
      options.unique_from,
      GuardThreshold(parts.engine.card(), settings.duplicate_fmr, "duplicate_fmr"));
  return options;
}

// The gallery says which of the faces a guard refused.
Status AtSample(const Status& status) {
  const auto reason = ReasonOf(status);
  const bool by_guard = reason == Reason::kIdentityMismatch || reason == Reason::kDuplicateFace;
  return by_guard ? AtField(status, "samples") : status;
}

NewTemplate ToTemplate(const EmbeddedFace& face, const Sample& sample) {
  std::optional<float> quality;
  if (face.quality.has_value()) quality = static_cast<float>(face.quality->score);
  return {.embedding = *face.embedding,
          .detector = face.detector,
          .detection_score = face.detected.has_value() ? face.detected->score : 0.0f,
          .source_digest = sample.source_digest,
          .source = SourceOf(sample.probe),
          .quality = quality};
}

TemplateInfo InfoOf(const NewTemplate& added, uint64_t id, const ModelKey& model, int64_t time_us) {
  return {.id = id,
          .model = model,
          .detector = added.detector,
          .detection_score = added.detection_score,
          .create_time_us = time_us,
          .source_digest = added.source_digest,
          .source = added.source,
          .quality = added.quality};
}

}  // namespace

StatusOr<EnrolmentResult> Enrol(const OperationParts& parts, const EnrolmentRequest& request,
                                const Caller& caller, const Receipt<EnrolmentResult>& receipt) {
  const ModelKey& model = parts.engine.model();
  const StopCheck stop = parts.engine.Wanted(caller);
  FACEGATE_ASSIGN_OR_RETURN(const CollectionInfo collection, CheckMayEnrol(parts, request, stop));
  const double wanted = WantedQuality(collection.settings.enrol_quality, parts.quality.enrol);
  FACEGATE_ASSIGN_OR_RETURN(const EnrolOptions options,
                            OptionsOf(parts, request, collection.settings));
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<EmbeddedFace> faces,
                            EmbedSamples(parts, request.samples, wanted, caller));
  std::vector<NewTemplate> templates;
  templates.reserve(faces.size());
  std::transform(faces.begin(), faces.end(), request.samples.begin(), std::back_inserter(templates),
                 ToTemplate);

  const auto result_of = [&](const EnrolResult& enrolled) {
    EnrolmentResult result{.identity = enrolled.identity,
                           .samples = {},
                           .created_identity = enrolled.created_identity};
    result.samples.reserve(faces.size());
    for (size_t i = 0; i < faces.size(); ++i) {
      result.samples.push_back({.stored = InfoOf(templates[i], enrolled.template_ids[i], model,
                                                 enrolled.identity.update_time_us),
                                .face = ReportOf(faces[i].detected, faces[i].quality, wanted)});
    }
    return result;
  };
  const auto enrolled = parts.gallery.Enrol(
      request.collection, request.identity, model, templates, options,
      {.ticket = receipt.ticket,
       .answer = [&](const EnrolResult& stored) { return receipt.answer(result_of(stored)); }},
      stop);
  if (!enrolled.ok()) return AtSample(enrolled.status());
  return result_of(*enrolled);
}

}  // namespace facegate
