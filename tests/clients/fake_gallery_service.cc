#include "tests/clients/fake_server.h"

namespace facegate {
namespace {

v1::Identity LabelledIdentity(const std::string& id) {
  v1::Identity identity;
  identity.set_id(id);
  identity.set_template_count(2);
  identity.set_etag("etag-of-" + id);
  (*identity.mutable_labels())["room"] = "4";
  (*identity.mutable_labels())["badge"] = "77";
  return identity;
}

}  // namespace

grpc::Status FakeGalleryService::CreateCollection(grpc::ServerContext* /*context*/,
                                                  const v1::CreateCollectionRequest* request,
                                                  v1::CreateCollectionResponse* response) {
  Note(request->request_id());
  if (request->collection_id() == "taken") {
    return FakeRefusal(grpc::StatusCode::ALREADY_EXISTS, "COLLECTION_EXISTS", "exists");
  }
  response->mutable_collection()->set_id(request->collection_id());
  if (request->has_min_cosine()) {
    response->mutable_collection()->set_min_cosine(request->min_cosine());
  }
  if (request->has_enrol_quality()) {
    response->mutable_collection()->set_enrol_quality(request->enrol_quality());
  }
  if (request->has_probe_quality()) {
    response->mutable_collection()->set_probe_quality(request->probe_quality());
  }
  response->mutable_collection()->set_fusion(request->fusion());
  return grpc::Status::OK;
}

grpc::Status FakeGalleryService::ListIdentities(grpc::ServerContext* /*context*/,
                                                const v1::ListIdentitiesRequest* request,
                                                v1::ListIdentitiesResponse* response) {
  constexpr int kPage = 3;
  const int begin = request->page_token().empty() ? 0 : std::stoi(request->page_token());
  const int end = std::min({begin + kPage, begin + request->page_size(), identity_count});
  for (int i = begin; i < end; ++i) {
    response->add_identities()->set_id("id" + std::to_string(i));
  }
  if (end < identity_count) response->set_next_page_token(std::to_string(end));
  return grpc::Status::OK;
}

grpc::Status FakeGalleryService::DeleteIdentity(grpc::ServerContext* /*context*/,
                                                const v1::DeleteIdentityRequest* request,
                                                v1::DeleteIdentityResponse* response) {
  Note(request->request_id());
  response->set_deleted_templates(3);
  return grpc::Status::OK;
}

grpc::Status FakeGalleryService::UpdateCollection(grpc::ServerContext* /*context*/,
                                                  const v1::UpdateCollectionRequest* request,
                                                  v1::UpdateCollectionResponse* response) {
  Note(request->request_id());
  if (in_progress-- > 0) {
    return FakeRefusal(grpc::StatusCode::ABORTED, "REQUEST_IN_PROGRESS", "still at work", "",
                       std::chrono::milliseconds(1));
  }
  const std::lock_guard lock(mutex_);
  last_collection_update_ = *request;
  if (request->collection().etag() == "old") {
    return FakeRefusal(grpc::StatusCode::ABORTED, "ETAG_MISMATCH", "changed since");
  }
  *response->mutable_collection() = request->collection();
  response->mutable_collection()->set_id(request->collection_id());
  response->mutable_collection()->set_etag("new-etag");
  if (request->collection().search() == v1::SEARCH_KIND_HNSW) {
    v1::ApproximateSearch* const found = response->mutable_collection()->mutable_approximate();
    found->set_indexed_templates(250'000);
    found->set_recall(0.9931);
  }
  // Its lists are not built yet.
  if (request->collection().search() == v1::SEARCH_KIND_IVF) {
    response->mutable_collection()->mutable_approximate();
  }
  return grpc::Status::OK;
}

grpc::Status FakeGalleryService::GetCalibration(grpc::ServerContext* /*context*/,
                                                const v1::GetCalibrationRequest* request,
                                                v1::GetCalibrationResponse* response) {
  const bool card = request->calibration() == v1::CALIBRATION_CHOICE_MODEL_CARD;
  response->set_calibration_id("0123456789abcdef");
  response->set_set(card ? "a named set" : "the collection's own identities");
  response->set_people(40);
  response->set_photos(50);
  response->set_impostor_pairs(780);
  response->set_searched_templates(40);
  for (const float threshold : {0.25F, 0.5F}) {
    auto* const row = response->add_rows();
    row->set_threshold(threshold);
    row->mutable_fmr()->set_rate(0.01);
    row->mutable_fmr()->set_lower(0.008);
    row->mutable_fmr()->set_upper(0.012);
    row->mutable_fpir()->set_rate(0.33);
    row->mutable_fpir()->set_upper(0.5);
    row->mutable_fpir()->set_by_formula(true);
  }
  *response->mutable_default_row() = response->rows(1);
  response->add_warnings("strangers match here");
  return grpc::Status::OK;
}

grpc::Status FakeGalleryService::DeleteCollection(grpc::ServerContext* /*context*/,
                                                  const v1::DeleteCollectionRequest* request,
                                                  v1::DeleteCollectionResponse* /*response*/) {
  Note(request->request_id());
  return grpc::Status::OK;
}

grpc::Status FakeGalleryService::DeleteTemplate(grpc::ServerContext* /*context*/,
                                                const v1::DeleteTemplateRequest* request,
                                                v1::DeleteTemplateResponse* /*response*/) {
  Note(request->request_id());
  return grpc::Status::OK;
}

grpc::Status FakeGalleryService::GetIdentity(grpc::ServerContext* /*context*/,
                                             const v1::GetIdentityRequest* request,
                                             v1::GetIdentityResponse* response) {
  const std::string& id = request->identity_id();
  if (!identities_in.empty() && request->collection_id() != identities_in) {
    return FakeRefusal(grpc::StatusCode::NOT_FOUND, "IDENTITY_NOT_FOUND", "no such identity");
  }
  if (id == "1017") {
    *response->mutable_identity() = LabelledIdentity(id);
    return grpc::Status::OK;
  }
  if (!face_.enrolled().contains(id)) {
    return FakeRefusal(grpc::StatusCode::NOT_FOUND, "IDENTITY_NOT_FOUND", "no such identity");
  }
  response->mutable_identity()->set_id(id);
  for (const auto& [key, value] : labels(id)) {
    (*response->mutable_identity()->mutable_labels())[key] = value;
  }
  return grpc::Status::OK;
}

grpc::Status FakeGalleryService::ListTemplates(grpc::ServerContext* /*context*/,
                                               const v1::ListTemplatesRequest* request,
                                               v1::ListTemplatesResponse* response) {
  constexpr size_t kPage = 3;
  const std::vector<std::string> digests = face_.digests(request->identity_id());
  const size_t begin = request->page_token().empty() ? 0 : std::stoul(request->page_token());
  const size_t end = std::min(begin + kPage, digests.size());
  for (size_t i = begin; i < end; ++i) {
    response->add_templates()->set_id(100 + i);
    response->mutable_templates()->rbegin()->set_source_digest(digests[i]);
  }
  if (end < digests.size()) response->set_next_page_token(std::to_string(end));
  return grpc::Status::OK;
}

grpc::Status FakeGalleryService::UpdateIdentity(grpc::ServerContext* /*context*/,
                                                const v1::UpdateIdentityRequest* request,
                                                v1::UpdateIdentityResponse* response) {
  Note(request->request_id());
  const std::lock_guard lock(mutex_);
  last_update_ = *request;
  if (request->identity().etag() == "old") {
    return FakeRefusal(grpc::StatusCode::ABORTED, "ETAG_MISMATCH", "changed since");
  }
  for (const auto& [key, value] : request->identity().labels()) {
    labels_[request->identity_id()][key] = value;
  }
  *response->mutable_identity() = LabelledIdentity(request->identity_id());
  return grpc::Status::OK;
}

grpc::Status FakeGalleryService::RenameIdentity(grpc::ServerContext* /*context*/,
                                                const v1::RenameIdentityRequest* request,
                                                v1::RenameIdentityResponse* response) {
  Note(request->request_id());
  const std::lock_guard lock(mutex_);
  last_rename_ = *request;
  *response->mutable_identity() = LabelledIdentity(request->new_identity_id());
  return lost_answers-- > 0 ? LostAnswer() : grpc::Status::OK;
}

grpc::Status FakeGalleryService::MergeIdentities(grpc::ServerContext* /*context*/,
                                                 const v1::MergeIdentitiesRequest* request,
                                                 v1::MergeIdentitiesResponse* response) {
  Note(request->request_id());
  const std::lock_guard lock(mutex_);
  last_merge_ = *request;
  *response->mutable_identity() = LabelledIdentity(request->target_identity_id());
  response->set_moved_templates(2);
  return grpc::Status::OK;
}

void FakeGalleryService::Note(const std::string& request_id) {
  const std::lock_guard lock(mutex_);
  request_ids_.push_back(request_id);
}

std::vector<std::string> FakeGalleryService::request_ids() const {
  const std::lock_guard lock(mutex_);
  return request_ids_;
}

v1::UpdateIdentityRequest FakeGalleryService::last_update() const {
  const std::lock_guard lock(mutex_);
  return last_update_;
}

std::map<std::string, std::string> FakeGalleryService::labels(const std::string& identity) const {
  const std::lock_guard lock(mutex_);
  const auto found = labels_.find(identity);
  return found == labels_.end() ? std::map<std::string, std::string>() : found->second;
}

v1::UpdateCollectionRequest FakeGalleryService::last_collection_update() const {
  const std::lock_guard lock(mutex_);
  return last_collection_update_;
}

v1::RenameIdentityRequest FakeGalleryService::last_rename() const {
  const std::lock_guard lock(mutex_);
  return last_rename_;
}

v1::MergeIdentitiesRequest FakeGalleryService::last_merge() const {
  const std::lock_guard lock(mutex_);
  return last_merge_;
}

}  // namespace facegate
