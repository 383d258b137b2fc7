#include "tests/clients/fake_server.h"

#include <algorithm>
#include <utility>

#include "face/base/check.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace facegate {
namespace {

// The person of a probe, or a refusal.
grpc::Status PersonOf(const v1::Probe& probe, char& person) {
  const std::string& bytes = probe.has_aligned_crop() ? probe.aligned_crop() : probe.image();
  if (bytes.empty()) {
    return FakeRefusal(grpc::StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "no image", "probe");
  }
  const std::string_view start(kJpegStart);
  person = bytes[bytes.starts_with(start) && bytes.size() > start.size() ? start.size() : 0];
  if (bytes.starts_with(kHeicStart)) {
    return FakeRefusal(grpc::StatusCode::INVALID_ARGUMENT, "IMAGE_UNDECODABLE",
                       "the image is a HEIC picture", "probe.image");
  }
  if (person == '-') {
    return FakeRefusal(grpc::StatusCode::INVALID_ARGUMENT, "NO_FACE", "no face was found",
                       "probe.image");
  }
  if (person == '=' && probe.face_selection() == v1::FACE_SELECTION_SINGLE) {
    return FakeRefusal(grpc::StatusCode::INVALID_ARGUMENT, "MULTIPLE_FACES", "2 faces, expected 1");
  }
  return grpc::Status::OK;
}

// The face of a photo of '~'.
v1::Face UnfitFace() {
  v1::Face face;
  face.mutable_box()->set_width(20);
  face.mutable_box()->set_height(24);
  v1::FaceQuality* quality = face.mutable_quality();
  quality->set_score(0.25F);
  quality->set_wanted(0.4F);
  v1::QualityComponent* sharp = quality->add_components();
  sharp->set_name("sharpness");
  sharp->set_quality(0.75F);
  v1::QualityComponent* eyes = quality->add_components();
  eyes->set_name("inter_eye_distance");
  eyes->set_quality(0.25F);
  v1::QualityShortcoming* near = quality->add_shortcomings();
  near->set_name("inter_eye_distance");
  near->set_value(7.13F);
  near->set_wanted(12.0F);
  near->set_unit("px");
  near->set_advice("come closer");
  return face;
}

v1::Face SomeFace() {
  v1::Face face;
  face.mutable_box()->set_x(8);
  face.mutable_box()->set_y(10);
  face.mutable_box()->set_width(20);
  face.mutable_box()->set_height(24);
  face.add_landmarks()->set_x(14);
  face.mutable_landmarks(0)->set_y(18);
  face.set_score(0.9F);
  return face;
}

void SetBasis(const v1::OperatingPoint& point, v1::DecisionBasis& basis) {
  const bool given = point.has_min_cosine();
  basis.set_threshold(given ? point.min_cosine() : 0.5F);
  basis.set_source(given ? v1::OPERATING_POINT_SOURCE_REQUEST
                         : v1::OPERATING_POINT_SOURCE_MODEL_CARD);
  basis.set_model_digest("digest");
}

v1::Decision Decide(float cosine, const v1::DecisionBasis& basis) {
  return cosine >= basis.threshold() ? v1::DECISION_MATCH : v1::DECISION_NO_MATCH;
}

grpc::Status QueueFull() {
  return FakeRefusal(grpc::StatusCode::RESOURCE_EXHAUSTED, "QUEUE_FULL", "full", "",
                     std::chrono::milliseconds(1));
}

constexpr float kSame = 0.9F;
constexpr float kOther = 0.1F;
constexpr char kUnfit = '~';
constexpr char kUnfitForOthers = '^';

// The first collection has all identities.
void AddSearched(const v1::IdentifyRequest& request, uint64_t identities,
                 v1::IdentifyResponse& response) {
  auto* first = response.add_searched();
  first->set_collection_id(request.collection_id());
  first->set_gallery_identities(identities);
  for (const std::string& id : request.more_collection_ids()) {
    response.add_searched()->set_collection_id(id);
  }
  for (auto& one : *response.mutable_searched()) *one.mutable_basis() = response.basis();
}

}  // namespace

grpc::Status LostAnswer() { return {grpc::StatusCode::UNAVAILABLE, "Socket closed"}; }

grpc::Status FakeRefusal(grpc::StatusCode code, const std::string& reason,
                         const std::string& message, const std::string& field,
                         std::optional<std::chrono::milliseconds> retry_after) {
  google::rpc::Status details;
  details.set_code(code);
  details.set_message(message);
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("facegate");
  details.add_details()->PackFrom(info);
  if (!field.empty()) {
    google::rpc::BadRequest bad_request;
    bad_request.add_field_violations()->set_field(field);
    details.add_details()->PackFrom(bad_request);
  }
  if (retry_after.has_value()) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(retry_after->count() / 1000);
    retry.mutable_retry_delay()->set_nanos(
        static_cast<int32_t>(retry_after->count() % 1000 * 1'000'000));
    details.add_details()->PackFrom(retry);
  }
  return {code, message, details.SerializeAsString()};
}

grpc::Status FakeFaceService::Enroll(grpc::ServerContext* /*context*/,
                                     const v1::EnrollRequest* request,
                                     v1::EnrollResponse* response) {
  if (full_for-- > 0) return QueueFull();
  if (unavailable_after-- <= 0) return LostAnswer();
  const std::lock_guard lock(mutex_);
  enroll_requests_.push_back(*request);
  if (const auto known = answers_.find(request->request_id()); known != answers_.end()) {
    *response = known->second;
    return lost_answers-- > 0 ? LostAnswer() : grpc::Status::OK;
  }
  if (request->must_be_new() && enrolled_.contains(request->identity_id())) {
    return FakeRefusal(grpc::StatusCode::ALREADY_EXISTS, "IDENTITY_EXISTS", "exists");
  }
  std::vector<char> persons;
  for (const v1::Probe& sample : request->samples()) {
    char person = 0;
    if (grpc::Status status = PersonOf(sample, person); !status.ok()) return status;
    if (person == kUnfit) {
      return FakeRefusal(grpc::StatusCode::INVALID_ARGUMENT, "LOW_QUALITY",
                         "the face is not good enough to enrol: inter eye distance is 7.13 px, 12 "
                         "wanted (come closer)",
                         "samples[0].image");
    }
    persons.push_back(person);
    auto* answer = response->add_samples();
    answer->mutable_template_()->set_id(100 + persons.size());
    if (sample.has_image()) *answer->mutable_face() = SomeFace();
  }
  auto& known = enrolled_[request->identity_id()];
  response->set_created_identity(known.empty());
  known.insert(known.end(), persons.begin(), persons.end());
  for (const v1::Probe& sample : request->samples()) {
    digests_[request->identity_id()].push_back(sample.source_digest());
  }
  response->mutable_identity()->set_id(request->identity_id());
  response->mutable_identity()->set_template_count(known.size());
  if (!request->request_id().empty()) answers_[request->request_id()] = *response;
  return lost_answers-- > 0 ? LostAnswer() : grpc::Status::OK;
}

grpc::Status FakeFaceService::Verify(grpc::ServerContext* /*context*/,
                                     const v1::VerifyRequest* request,
                                     v1::VerifyResponse* response) {
  char person = 0;
  if (grpc::Status status = PersonOf(request->probe(), person); !status.ok()) return status;
  const std::lock_guard lock(mutex_);
  const auto known = enrolled_.find(request->identity_id());
  if (known == enrolled_.end()) {
    return FakeRefusal(grpc::StatusCode::NOT_FOUND, "IDENTITY_NOT_FOUND", "no such identity");
  }
  if (person == kUnfit) {
    response->set_decision(v1::DECISION_INCONCLUSIVE);
    *response->mutable_face() = UnfitFace();
    return grpc::Status::OK;
  }
  const bool same =
      std::find(known->second.begin(), known->second.end(), person) != known->second.end();
  SetBasis(request->operating_point(), *response->mutable_basis());
  response->set_cosine(same ? kSame : kOther);
  response->set_decision(Decide(response->cosine(), response->basis()));
  *response->mutable_face() = SomeFace();
  return grpc::Status::OK;
}

grpc::Status FakeFaceService::Identify(grpc::ServerContext* /*context*/,
                                       const v1::IdentifyRequest* request,
                                       v1::IdentifyResponse* response) {
  if (full_for-- > 0) return QueueFull();
  const std::lock_guard lock(mutex_);
  last_identify_ = *request;
  char person = 0;
  if (grpc::Status status = PersonOf(request->probe(), person); !status.ok()) return status;
  SetBasis(request->operating_point(), *response->mutable_basis());
  response->set_gallery_identities(enrolled_.size());
  auto* result = response->add_results();
  AddSearched(*request, enrolled_.size(), *response);
  if (person == kUnfit) {
    result->set_decision(v1::DECISION_INCONCLUSIVE);
    *result->mutable_face() = UnfitFace();
    for (const auto& one : response->searched()) {
      result->add_not_compared_collection_ids(one.collection_id());
    }
    return grpc::Status::OK;
  }
  if (person == kUnfitForOthers) {
    *result->mutable_face() = UnfitFace();
    *result->mutable_not_compared_collection_ids() = request->more_collection_ids();
  }
  result->set_decision(v1::DECISION_NO_MATCH);
  for (const auto& [identity, persons] : enrolled_) {
    if (std::find(persons.begin(), persons.end(), person) == persons.end()) continue;
    auto* candidate = result->add_candidates();
    candidate->set_collection_id(request->collection_id());
    candidate->set_identity_id(identity);
    candidate->set_cosine(kSame);
    candidate->set_template_name("collections/" + request->collection_id() + "/identities/" +
                                 identity + "/templates/101");
    candidate->set_decision(v1::DECISION_MATCH);
    result->set_decision(v1::DECISION_MATCH);
  }
  return grpc::Status::OK;
}

grpc::Status FakeFaceService::Embed(grpc::ServerContext* /*context*/,
                                    const v1::EmbedRequest* request, v1::EmbedResponse* response) {
  char person = 0;
  if (grpc::Status status = PersonOf(request->probe(), person); !status.ok()) return status;
  for (const float value : {0.5F, -0.5F, 0.25F}) response->mutable_embedding()->add_values(value);
  response->mutable_embedding()->set_model_digest("digest");
  return grpc::Status::OK;
}

grpc::Status FakeFaceService::Detect(grpc::ServerContext* /*context*/,
                                     const v1::DetectRequest* request,
                                     v1::DetectResponse* response) {
  response->set_image_width(64);
  response->set_image_height(48);
  response->set_detector("fake");
  const char person = request->image().front();
  if (person != '-') *response->add_faces() = person == kUnfit ? UnfitFace() : SomeFace();
  return grpc::Status::OK;
}

grpc::Status FakeFaceService::Compare(grpc::ServerContext* /*context*/,
                                      const v1::CompareRequest* request,
                                      v1::CompareResponse* response) {
  char first = 0;
  char second = 0;
  if (grpc::Status status = PersonOf(request->first(), first); !status.ok()) return status;
  if (grpc::Status status = PersonOf(request->second(), second); !status.ok()) return status;
  SetBasis(request->operating_point(), *response->mutable_basis());
  const float wanted = request->has_probe_quality() ? request->probe_quality() : 0.4F;
  if (wanted > 0 && (first == kUnfit || second == kUnfit)) {
    response->set_decision(v1::DECISION_INCONCLUSIVE);
    if (first == kUnfit) *response->mutable_first_face() = UnfitFace();
    if (second == kUnfit) *response->mutable_second_face() = UnfitFace();
    return grpc::Status::OK;
  }
  response->set_cosine(first == second ? kSame : kOther);
  response->set_decision(Decide(response->cosine(), response->basis()));
  return grpc::Status::OK;
}

std::vector<v1::EnrollRequest> FakeFaceService::enroll_requests() const {
  const std::lock_guard lock(mutex_);
  return enroll_requests_;
}

v1::IdentifyRequest FakeFaceService::last_identify() const {
  const std::lock_guard lock(mutex_);
  return last_identify_;
}

std::map<std::string, std::vector<char>> FakeFaceService::enrolled() const {
  const std::lock_guard lock(mutex_);
  return enrolled_;
}

std::vector<std::string> FakeFaceService::digests(const std::string& identity) const {
  const std::lock_guard lock(mutex_);
  const auto found = digests_.find(identity);
  return found == digests_.end() ? std::vector<std::string>() : found->second;
}

grpc::Status FakeAdminService::GetServerInfo(grpc::ServerContext* /*context*/,
                                             const v1::GetServerInfoRequest* /*request*/,
                                             v1::GetServerInfoResponse* response) {
  response->set_version("9.9");
  response->mutable_model()->set_architecture("fake-net");
  response->set_search_device("cuda:0 (FAKE H1)");
  response->set_templates_on_card(25'000);
  return grpc::Status::OK;
}

grpc::Status FakeHealthService::Check(grpc::ServerContext* /*context*/,
                                      const grpc::health::v1::HealthCheckRequest* /*request*/,
                                      grpc::health::v1::HealthCheckResponse* response) {
  response->set_status(not_ready_for-- > 0 ? grpc::health::v1::HealthCheckResponse::NOT_SERVING
                                           : grpc::health::v1::HealthCheckResponse::SERVING);
  return grpc::Status::OK;
}

FakeServer::FakeServer(const std::string& address) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&face);
  builder.RegisterService(&gallery);
  builder.RegisterService(&admin);
  builder.RegisterService(&health);
  server_ = builder.BuildAndStart();
  FACEGATE_CHECK(server_ != nullptr);
  target_ = "127.0.0.1:" + std::to_string(port);
}

FakeServer::~FakeServer() { server_->Shutdown(std::chrono::system_clock::now()); }

}  // namespace facegate
