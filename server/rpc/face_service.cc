#include "server/rpc/face_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "face/base/embedding.h"
#include "server/rpc/decision.h"
#include "server/rpc/request_checks.h"
#include "server/rpc/request_once.h"
#include "server/rpc/resource_messages.h"
#include "server/rpc/resource_name.h"

namespace facegate {
namespace {

constexpr size_t kDefaultCandidates = 5;

constexpr ProbePolicy kOneFace{};
constexpr ProbePolicy kSample{.selection = {.unspecified = FaceSelection::kSingle},
                              .allow_embedding = true,
                              .allow_template_name = false,
                              .allow_source_digest = true};
constexpr ProbePolicy kManyFaces{
    .selection = {.unspecified = FaceSelection::kLargest, .allow_all = true}};
constexpr ProbePolicy kPictureAlone{
    .selection = {}, .allow_embedding = false, .allow_template_name = false};

template <typename Request>
const v1::Probe* ProbeOf(const Request& request) {
  return request.has_probe() ? &request.probe() : nullptr;
}

template <typename Request>
const v1::OperatingPoint* OperatingPointOf(const Request& request) {
  return request.has_operating_point() ? &request.operating_point() : nullptr;
}

NewTemplate ToTemplate(const EmbeddedFace& face, const CheckedProbe& sample) {
  return {.embedding = *face.embedding,
          .detector = face.detector,
          .detection_score = face.detected.has_value() ? face.detected->score : 0.0f,
          .source_digest = sample.probe->source_digest()};
}

// Candidates are best first. Of a crowd there may be a million, and most of them are strangers.
void DropBelowThreshold(const v1::DecisionBasis& basis, std::vector<Candidate>& nearest) {
  const auto matches = [&basis](const Candidate& candidate) {
    return Decide(candidate.cosine, basis) == v1::DECISION_MATCH;
  };
  nearest.erase(std::find_if_not(nearest.begin(), nearest.end(), matches), nearest.end());
  nearest.shrink_to_fit();
}

}  // namespace

FaceService::FaceService(const FaceEngine& engine, Gallery& gallery, const RequestLimits& limits)
    : engine_(engine), gallery_(gallery), limits_(limits) {}

StatusOr<std::vector<EmbeddedFace>> FaceService::EmbedProbes(
    const std::vector<CheckedProbe>& probes, const Caller& caller) const {
  std::vector<PreparedFace> faces;
  for (const CheckedProbe& probe : probes) {
    FACEGATE_ASSIGN_OR_RETURN(std::vector<PreparedFace> found,
                              PrepareProbe(probe, engine_, gallery_, caller));
    std::move(found.begin(), found.end(), std::back_inserter(faces));
  }
  return engine_.Embed(std::move(faces), caller);
}

StatusOr<std::vector<CheckedProbe>> FaceService::CheckSamples(
    const v1::EnrollRequest& request) const {
  const int count = request.samples_size();
  if (count < 1 || static_cast<uint32_t>(count) > limits_.max_samples) {
    return RefuseField(
        "samples", fmt::format("has {} entries, must have 1 to {}", count, limits_.max_samples));
  }
  std::vector<CheckedProbe> samples;
  samples.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    FACEGATE_ASSIGN_OR_RETURN(
        CheckedProbe sample,
        CheckProbe(&request.samples(i), fmt::format("samples[{}]", i), kSample, engine_));
    samples.push_back(std::move(sample));
  }
  return samples;
}

// Early, so that no face is computed in vain; Enrol() checks again, atomically.
Status FaceService::CheckMayEnroll(const v1::EnrollRequest& request) const {
  FACEGATE_RETURN_IF_ERROR(
      GetUsableCollection(gallery_, request.collection_id(), engine_.model()).status());
  if (request.must_be_new() &&
      gallery_.GetIdentity(request.collection_id(), request.identity_id()).ok()) {
    return Refuse(Reason::kIdentityExists, "the identity exists already");
  }
  return OkStatus();
}

Status FaceService::Enroll(const CallContext& call, const v1::EnrollRequest& request,
                           v1::EnrollResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  FACEGATE_RETURN_IF_ERROR(CheckIdentityId(request.identity_id()));
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<CheckedProbe> samples, CheckSamples(request));
  return Once(gallery_, request, response, [&](const RequestTicket* ticket) {
    return EnrollSamples(call, request, samples, ticket, response);
  });
}

Status FaceService::EnrollSamples(const CallContext& call, const v1::EnrollRequest& request,
                                  const std::vector<CheckedProbe>& samples,
                                  const RequestTicket* ticket, v1::EnrollResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckMayEnroll(request));
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<EmbeddedFace> faces,
                            EmbedProbes(samples, call.caller));
  std::vector<NewTemplate> templates;
  templates.reserve(faces.size());
  std::transform(faces.begin(), faces.end(), samples.begin(), std::back_inserter(templates),
                 ToTemplate);

  const auto fill = [&](const EnrolResult& enrolled, v1::EnrollResponse* out) {
    FillIdentity(request.collection_id(), enrolled.identity, out->mutable_identity());
    for (size_t i = 0; i < faces.size(); ++i) {
      const TemplateInfo info{.id = enrolled.template_ids[i],
                              .model = engine_.model(),
                              .detector = templates[i].detector,
                              .detection_score = templates[i].detection_score,
                              .create_time_us = enrolled.identity.update_time_us,
                              .source_digest = templates[i].source_digest};
      v1::EnrollResponse::Sample* sample = out->add_samples();
      FillTemplate(request.collection_id(), request.identity_id(), info,
                   sample->mutable_template_());
      if (faces[i].detected.has_value()) FillFace(*faces[i].detected, sample->mutable_face());
    }
    out->set_created_identity(enrolled.created_identity);
    out->set_model_digest(engine_.model().model_digest);
  };
  FACEGATE_ASSIGN_OR_RETURN(
      const EnrolResult enrolled,
      gallery_.Enrol(request.collection_id(), request.identity_id(), engine_.model(), templates,
                     {.must_be_new = request.must_be_new()},
                     ReceiptOf<EnrolResult, v1::EnrollResponse>(ticket, fill)));
  fill(enrolled, response);
  return OkStatus();
}

Status FaceService::Verify(const CallContext& call, const v1::VerifyRequest& request,
                           v1::VerifyResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  FACEGATE_RETURN_IF_ERROR(CheckIdentityId(request.identity_id()));
  FACEGATE_ASSIGN_OR_RETURN(CheckedProbe probe,
                            CheckProbe(ProbeOf(request), "probe", kOneFace, engine_));
  FACEGATE_ASSIGN_OR_RETURN(
      const CollectionInfo collection,
      GetUsableCollection(gallery_, request.collection_id(), engine_.model()));
  FACEGATE_ASSIGN_OR_RETURN(
      *response->mutable_basis(),
      ChooseBasis(OperatingPointOf(request), collection.settings.min_cosine, engine_.card()));
  FACEGATE_RETURN_IF_ERROR(
      gallery_.GetIdentity(request.collection_id(), request.identity_id()).status());

  FACEGATE_ASSIGN_OR_RETURN(const std::vector<EmbeddedFace> faces,
                            EmbedProbes({std::move(probe)}, call.caller));
  const EmbeddedFace& face = faces.front();
  FACEGATE_ASSIGN_OR_RETURN(const Candidate best,
                            gallery_.Score(request.collection_id(), request.identity_id(),
                                           engine_.model(), *face.embedding));
  response->set_cosine(best.cosine);
  response->set_decision(Decide(best.cosine, response->basis()));
  response->set_template_name(
      TemplateName(request.collection_id(), request.identity_id(), best.template_id));
  if (face.detected.has_value()) FillFace(*face.detected, response->mutable_face());
  return OkStatus();
}

StatusOr<size_t> FaceService::CandidateCount(const v1::IdentifyRequest& request) const {
  if (request.max_candidates() > limits_.max_candidates) {
    return RefuseField(
        "max_candidates",
        fmt::format("is {}, must be at most {}", request.max_candidates(), limits_.max_candidates));
  }
  if (request.max_candidates() > 0) return static_cast<size_t>(request.max_candidates());
  return std::min<size_t>(kDefaultCandidates, limits_.max_candidates);
}

StatusOr<std::vector<IdentifiedFace>> FaceService::SearchFaces(const IdentificationOptions& options,
                                                               const v1::DecisionBasis& basis,
                                                               std::vector<EmbeddedFace> faces,
                                                               const Caller& caller) const {
  const size_t needed = NearestNeeded(options, faces.size());
  std::vector<IdentifiedFace> identified;
  identified.reserve(faces.size());
  for (EmbeddedFace& face : faces) {
    std::vector<Candidate> nearest;
    if (face.embedding.has_value()) {
      FACEGATE_ASSIGN_OR_RETURN(
          nearest, gallery_.Search(options.collection, engine_.model(), *face.embedding, needed,
                                   engine_.Wanted(caller)));
    }
    if (!options.include_below_threshold) DropBelowThreshold(basis, nearest);
    identified.push_back({.face = std::move(face), .nearest = std::move(nearest)});
  }
  return identified;
}

Status FaceService::Identify(const CallContext& call, const v1::IdentifyRequest& request,
                             v1::IdentifyResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  IdentificationOptions options{.collection = request.collection_id(),
                                .max_candidates = 0,
                                .include_below_threshold = request.include_below_threshold(),
                                .unique_identities = request.unique_identities()};
  FACEGATE_ASSIGN_OR_RETURN(options.max_candidates, CandidateCount(request));
  FACEGATE_ASSIGN_OR_RETURN(CheckedProbe probe,
                            CheckProbe(ProbeOf(request), "probe", kManyFaces, engine_));
  if (options.unique_identities && probe.selection.selection != FaceSelection::kAll) {
    return RefuseField("unique_identities", "is only for face_selection ALL");
  }
  FACEGATE_ASSIGN_OR_RETURN(
      const CollectionInfo collection,
      GetUsableCollection(gallery_, request.collection_id(), engine_.model()));
  FACEGATE_ASSIGN_OR_RETURN(
      *response->mutable_basis(),
      ChooseBasis(OperatingPointOf(request), collection.settings.min_cosine, engine_.card()));

  FACEGATE_ASSIGN_OR_RETURN(std::vector<EmbeddedFace> faces,
                            EmbedProbes({std::move(probe)}, call.caller));
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<IdentifiedFace> identified,
                            SearchFaces(options, response->basis(), std::move(faces), call.caller));
  FACEGATE_RETURN_IF_ERROR(AddResults(options, identified, engine_.Wanted(call.caller), response));
  FACEGATE_ASSIGN_OR_RETURN(const CollectionInfo searched,
                            gallery_.GetCollection(request.collection_id()));
  response->set_gallery_identities(searched.identity_count);
  return OkStatus();
}

Status FaceService::Embed(const CallContext& call, const v1::EmbedRequest& request,
                          v1::EmbedResponse* response) {
  FACEGATE_ASSIGN_OR_RETURN(CheckedProbe probe,
                            CheckProbe(ProbeOf(request), "probe", kPictureAlone, engine_));
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<EmbeddedFace> faces,
                            EmbedProbes({std::move(probe)}, call.caller));
  const EmbeddedFace& face = faces.front();
  v1::TaggedEmbedding* embedding = response->mutable_embedding();
  const std::span<const float> values = face.embedding->values();
  embedding->mutable_values()->Add(values.begin(), values.end());
  embedding->set_model_digest(engine_.model().model_digest);
  embedding->set_preprocessing_digest(engine_.model().preprocessing_digest);
  if (face.detected.has_value()) FillFace(*face.detected, response->mutable_face());
  return OkStatus();
}

Status FaceService::Detect(const CallContext& call, const v1::DetectRequest& request,
                           v1::DetectResponse* response) {
  FACEGATE_RETURN_IF_ERROR(AtField(engine_.CheckImageBytes(request.image()), "image"));
  FACEGATE_ASSIGN_OR_RETURN(
      const SelectionRequest selection,
      ParseSelection(request.face_selection(), request.has_box() ? &request.box() : nullptr,
                     {.unspecified = FaceSelection::kAll, .allow_all = true}));
  const StatusOr<Detection> detection = engine_.Detect(request.image(), selection, call.caller);
  if (!detection.ok()) return AtField(detection.status(), "image");
  for (const DetectedFace& face : detection->faces) FillFace(face, response->add_faces());
  response->set_image_width(static_cast<uint32_t>(detection->image_width));
  response->set_image_height(static_cast<uint32_t>(detection->image_height));
  response->set_detector(engine_.detector_name());
  return OkStatus();
}

Status FaceService::Compare(const CallContext& call, const v1::CompareRequest& request,
                            v1::CompareResponse* response) {
  FACEGATE_ASSIGN_OR_RETURN(
      CheckedProbe first,
      CheckProbe(request.has_first() ? &request.first() : nullptr, "first", kOneFace, engine_));
  FACEGATE_ASSIGN_OR_RETURN(
      CheckedProbe second,
      CheckProbe(request.has_second() ? &request.second() : nullptr, "second", kOneFace, engine_));
  FACEGATE_ASSIGN_OR_RETURN(*response->mutable_basis(),
                            ChooseBasis(OperatingPointOf(request), std::nullopt, engine_.card()));

  FACEGATE_ASSIGN_OR_RETURN(const std::vector<EmbeddedFace> faces,
                            EmbedProbes({std::move(first), std::move(second)}, call.caller));
  const float cosine = CosineScore(faces[0].embedding->values(), faces[1].embedding->values());
  response->set_cosine(cosine);
  response->set_distance(static_cast<float>(DistanceOfCosine(cosine)));
  response->set_decision(Decide(cosine, response->basis()));
  if (faces[0].detected.has_value()) {
    FillFace(*faces[0].detected, response->mutable_first_face());
  }
  if (faces[1].detected.has_value()) {
    FillFace(*faces[1].detected, response->mutable_second_face());
  }
  return OkStatus();
}

}  // namespace facegate
