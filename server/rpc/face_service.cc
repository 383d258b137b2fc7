#include "server/rpc/face_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "face/base/embedding.h"
#include "index/resource_id.h"
#include "server/operations/comparability.h"
#include "server/operations/comparison.h"
#include "server/operations/examination.h"
#include "server/operations/identification.h"
#include "server/operations/verification.h"
#include "server/rpc/decision_messages.h"
#include "server/rpc/face_messages.h"
#include "server/rpc/probe.h"
#include "server/rpc/request_checks.h"
#include "server/rpc/request_once.h"
#include "server/rpc/resource_messages.h"
#include "server/rpc/resource_name.h"

namespace facegate {
namespace {

constexpr size_t kDefaultCandidates = 5;
constexpr int kMostMoreCollections = 15;

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
StatusOr<std::optional<OperatingPoint>> OperatingPointOf(const Request& request) {
  return ParseOperatingPoint(request.has_operating_point() ? &request.operating_point() : nullptr);
}

// The first is collection_id. Refusals that are of it name no field, as those of other methods.
StatusOr<std::vector<ChosenCollection>> CollectionsOf(const v1::IdentifyRequest& request) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  const int more = request.more_collection_ids_size();
  if (more > kMostMoreCollections) {
    return RefuseField("more_collection_ids", fmt::format("has {} entries, must have at most {}",
                                                          more, kMostMoreCollections));
  }
  std::vector<ChosenCollection> chosen{{.id = request.collection_id()}};
  std::set<std::string_view> named{request.collection_id()};
  for (int i = 0; i < more; ++i) {
    const std::string& id = request.more_collection_ids(i);
    std::string field = fmt::format("more_collection_ids[{}]", i);
    FACEGATE_RETURN_IF_ERROR(CheckResourceId(id, field));
    if (!named.insert(id).second) {
      return RefuseField(field, "is a collection that the request has named already");
    }
    chosen.push_back({.id = id, .field = std::move(field)});
  }
  return chosen;
}

void FillCandidate(std::string_view collection, const DecidedCandidate& found,
                   v1::IdentifyResponse::Candidate* out) {
  out->set_collection_id(std::string(collection));
  out->set_identity_id(found.candidate.identity);
  out->set_cosine(found.candidate.cosine);
  if (found.candidate.is_normalised) out->set_normalised(found.candidate.score);
  out->set_decision(ToMessage(found.decision));
  out->set_template_name(
      TemplateName(collection, found.candidate.identity, found.candidate.template_id));
}

void FillResult(const std::vector<ChosenCollection>& collections, const IdentifiedFace& face,
                v1::IdentifyResponse::Result* out) {
  out->set_decision(ToMessage(face.decision));
  if (!face.face.empty()) FillFace(face.face, out->mutable_face());
  for (const DecidedCandidate& candidate : face.candidates) {
    FillCandidate(collections[candidate.collection].id, candidate, out->add_candidates());
  }
  for (const size_t collection : face.not_compared_with) {
    out->add_not_compared_collection_ids(std::string(collections[collection].id));
  }
}

void FillSearched(const std::vector<ChosenCollection>& collections,
                  const std::vector<SearchedCollection>& searched, v1::IdentifyResponse* out) {
  uint64_t identities = 0;
  for (size_t i = 0; i < searched.size(); ++i) {
    v1::IdentifyResponse::Searched* one = out->add_searched();
    one->set_collection_id(std::string(collections[i].id));
    FillBasis(searched[i].basis, one->mutable_basis());
    one->set_gallery_identities(searched[i].identities);
    identities += searched[i].identities;
  }
  FillBasis(searched.front().basis, out->mutable_basis());
  out->set_gallery_identities(identities);
}

}  // namespace

FaceService::FaceService(const FaceEngine& engine, Gallery& gallery, Journal& journal,
                         const RequestLimits& limits, const QualityPolicy& quality,
                         SiteCalibrations& calibrations)
    : parts_{.engine = engine,
             .gallery = gallery,
             .quality = quality,
             .calibrations = calibrations},
      journal_(journal),
      limits_(limits) {}

StatusOr<std::vector<Sample>> FaceService::ParseSamples(const v1::EnrollRequest& request) const {
  const int count = request.samples_size();
  if (count < 1 || static_cast<uint32_t>(count) > limits_.max_samples) {
    return RefuseField(
        "samples", fmt::format("has {} entries, must have 1 to {}", count, limits_.max_samples));
  }
  std::vector<Sample> samples;
  samples.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    const v1::Probe& sample = request.samples(i);
    FACEGATE_ASSIGN_OR_RETURN(
        Probe probe, ParseProbe(&sample, fmt::format("samples[{}]", i), kSample, parts_.engine));
    samples.push_back({.probe = std::move(probe), .source_digest = sample.source_digest()});
  }
  return samples;
}

Status FaceService::Enroll(const CallContext& call, const v1::EnrollRequest& request,
                           v1::EnrollResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  FACEGATE_RETURN_IF_ERROR(CheckIdentityId(request.identity_id()));
  EnrolmentRequest enrolment{.collection = request.collection_id(),
                             .identity = request.identity_id(),
                             .samples = {},
                             .must_be_new = request.must_be_new()};
  FACEGATE_ASSIGN_OR_RETURN(enrolment.samples, ParseSamples(request));
  const auto fill = [&](const EnrolmentResult& enrolled, v1::EnrollResponse* out) {
    FillIdentity(request.collection_id(), enrolled.identity, out->mutable_identity());
    for (const auto& [stored, face] : enrolled.samples) {
      v1::EnrollResponse::Sample* sample = out->add_samples();
      FillTemplate(request.collection_id(), request.identity_id(), stored,
                   sample->mutable_template_());
      if (!face.empty()) FillFace(face, sample->mutable_face());
    }
    out->set_created_identity(enrolled.created_identity);
    out->set_model_digest(parts_.engine.model().model_digest);
  };
  return Once(journal_, request, response, [&](const RequestTicket* ticket) -> Status {
    FACEGATE_ASSIGN_OR_RETURN(const EnrolmentResult enrolled,
                              Enrol(parts_, enrolment, call.caller,
                                    ReceiptOf<EnrolmentResult, v1::EnrollResponse>(ticket, fill)));
    fill(enrolled, response);
    return OkStatus();
  });
}

Status FaceService::Verify(const CallContext& call, const v1::VerifyRequest& request,
                           v1::VerifyResponse* response) {
  FACEGATE_RETURN_IF_ERROR(CheckCollectionId(request.collection_id()));
  FACEGATE_RETURN_IF_ERROR(CheckIdentityId(request.identity_id()));
  VerificationRequest verification{.collection = request.collection_id(),
                                   .identity = request.identity_id(),
                                   .probe = {},
                                   .operating_point = {}};
  FACEGATE_ASSIGN_OR_RETURN(verification.probe,
                            ParseProbe(ProbeOf(request), "probe", kOneFace, parts_.engine));
  FACEGATE_ASSIGN_OR_RETURN(verification.operating_point, OperatingPointOf(request));
  FACEGATE_ASSIGN_OR_RETURN(const VerificationResult result,
                            facegate::Verify(parts_, verification, call.caller));
  response->set_decision(ToMessage(result.decision));
  FillBasis(result.basis, response->mutable_basis());
  if (result.best.has_value()) {
    response->set_cosine(result.best->cosine);
    if (result.best->is_normalised) response->set_normalised(result.best->score);
    response->set_template_name(
        TemplateName(request.collection_id(), request.identity_id(), result.best->template_id));
  }
  if (!result.face.empty()) FillFace(result.face, response->mutable_face());
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

Status FaceService::Identify(const CallContext& call, const v1::IdentifyRequest& request,
                             v1::IdentifyResponse* response) {
  FACEGATE_ASSIGN_OR_RETURN(std::vector<ChosenCollection> collections, CollectionsOf(request));
  FACEGATE_RETURN_IF_ERROR(CheckLabelCount(static_cast<size_t>(request.labels_size())));
  IdentificationRequest identification{
      .collections = std::move(collections),
      .probe = {},
      .operating_point = {},
      .options = {.max_candidates = 0,
                  .include_below_threshold = request.include_below_threshold(),
                  .unique_identities = request.unique_identities(),
                  .labels = {request.labels().begin(), request.labels().end()}}};
  FACEGATE_RETURN_IF_ERROR(CheckLabels(identification.options.labels));
  FACEGATE_ASSIGN_OR_RETURN(identification.options.max_candidates, CandidateCount(request));
  FACEGATE_ASSIGN_OR_RETURN(identification.probe,
                            ParseProbe(ProbeOf(request), "probe", kManyFaces, parts_.engine));
  const auto* image = std::get_if<ImageProbe>(&identification.probe.source);
  const bool many = image != nullptr && image->selection.selection == FaceSelection::kAll;
  if (request.unique_identities() && !many) {
    return RefuseField("unique_identities", "is only for face_selection ALL");
  }
  FACEGATE_ASSIGN_OR_RETURN(identification.operating_point, OperatingPointOf(request));
  FACEGATE_ASSIGN_OR_RETURN(const IdentificationResult found,
                            facegate::Identify(parts_, identification, call.caller));
  FillSearched(identification.collections, found.searched, response);
  for (const IdentifiedFace& face : found.faces) {
    FillResult(identification.collections, face, response->add_results());
  }
  return OkStatus();
}

Status FaceService::Embed(const CallContext& call, const v1::EmbedRequest& request,
                          v1::EmbedResponse* response) {
  FACEGATE_ASSIGN_OR_RETURN(const Probe probe,
                            ParseProbe(ProbeOf(request), "probe", kPictureAlone, parts_.engine));
  FACEGATE_ASSIGN_OR_RETURN(const EmbeddingResult result, EmbedFace(parts_, probe, call.caller));
  v1::TaggedEmbedding* embedding = response->mutable_embedding();
  const std::span<const float> values = result.embedding.values();
  embedding->mutable_values()->Add(values.begin(), values.end());
  embedding->set_model_digest(parts_.engine.model().model_digest);
  embedding->set_preprocessing_digest(parts_.engine.model().preprocessing_digest);
  if (!result.face.empty()) FillFace(result.face, response->mutable_face());
  return OkStatus();
}

Status FaceService::Detect(const CallContext& call, const v1::DetectRequest& request,
                           v1::DetectResponse* response) {
  FACEGATE_RETURN_IF_ERROR(AtField(parts_.engine.CheckImageBytes(request.image()), "image"));
  FACEGATE_ASSIGN_OR_RETURN(
      const SelectionRequest selection,
      ParseSelection(request.face_selection(), request.has_box() ? &request.box() : nullptr,
                     {.unspecified = FaceSelection::kAll, .allow_all = true}));
  const StatusOr<DetectionResult> detection =
      DetectFaces(parts_, request.image(), selection, call.caller);
  if (!detection.ok()) return AtField(detection.status(), "image");
  for (const FaceReport& face : detection->faces) FillFace(face, response->add_faces());
  response->set_image_width(static_cast<uint32_t>(detection->image_width));
  response->set_image_height(static_cast<uint32_t>(detection->image_height));
  response->set_detector(parts_.engine.detector_name());
  return OkStatus();
}

Status FaceService::Compare(const CallContext& call, const v1::CompareRequest& request,
                            v1::CompareResponse* response) {
  ComparisonRequest comparison;
  FACEGATE_ASSIGN_OR_RETURN(comparison.probes[0],
                            ParseProbe(request.has_first() ? &request.first() : nullptr, "first",
                                       kOneFace, parts_.engine));
  FACEGATE_ASSIGN_OR_RETURN(comparison.probes[1],
                            ParseProbe(request.has_second() ? &request.second() : nullptr, "second",
                                       kOneFace, parts_.engine));
  FACEGATE_ASSIGN_OR_RETURN(comparison.operating_point, OperatingPointOf(request));
  if (comparison.operating_point.has_value() &&
      comparison.operating_point->calibration == CalibrationSource::kCollection) {
    return RefuseField("operating_point.calibration",
                       "is COLLECTION, and two faces that are compared have none");
  }
  if (request.has_probe_quality()) {
    FACEGATE_RETURN_IF_ERROR(CheckQuality(request.probe_quality(), "probe_quality"));
    comparison.probe_quality = request.probe_quality();
  }
  FACEGATE_ASSIGN_OR_RETURN(const ComparisonResult result,
                            facegate::Compare(parts_, comparison, call.caller));
  response->set_decision(ToMessage(result.decision));
  FillBasis(result.basis, response->mutable_basis());
  if (result.cosine.has_value()) {
    response->set_cosine(*result.cosine);
    response->set_distance(static_cast<float>(DistanceOfCosine(*result.cosine)));
  }
  if (!result.faces[0].empty()) FillFace(result.faces[0], response->mutable_first_face());
  if (!result.faces[1].empty()) FillFace(result.faces[1], response->mutable_second_face());
  return OkStatus();
}

}  // namespace facegate
