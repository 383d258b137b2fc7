// Seeds for request_fuzz.cc: each method once or twice, as a client calls it, and calls that belong
// together.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <opencv2/core.hpp>

#include "face/base/check.h"
#include "facegate/v1/admin_service.pb.h"
#include "facegate/v1/face_service.pb.h"
#include "facegate/v1/gallery_service.pb.h"
#include "server/rpc/page_token.h"
#include "server/rpc/resource_name.h"
#include "tests/fuzz/call_sequence.h"
#include "tests/fuzz/request_world.h"
#include "tests/fuzz/seeds.h"
#include "tests/fuzz/service_methods.h"
#include "tests/support/pattern_image.h"

namespace facegate {
namespace {

EncodedCall CallOf(const std::string& method, const google::protobuf::Message& request) {
  EncodedCall call{MethodNumber(method), ""};
  {
    google::protobuf::io::StringOutputStream bytes(&call.message);
    google::protobuf::io::CodedOutputStream coded(&bytes);
    coded.SetSerializationDeterministic(true);  // labels in the order of their keys
    FACEGATE_CHECK(request.SerializeToCodedStream(&coded));
  }
  return call;
}

v1::Probe Crop(uint64_t pattern) {
  v1::Probe probe;
  probe.set_aligned_crop(PatternPng(pattern));
  return probe;
}

// A photo in which PixelDetector finds `faces` faces.
std::string PhotoBytes(int faces) {
  cv::Mat picture = PatternImage(5, {160, 128});
  picture.at<cv::Vec3b>(0, 0) = cv::Vec3b(static_cast<uint8_t>(faces), 0, 0);
  for (int i = 1; i <= faces; ++i) {
    picture.at<cv::Vec3b>(0, i) = cv::Vec3b(static_cast<uint8_t>(64 + 10 * i), 70, 2);
  }
  return EncodePng(picture);
}

v1::Probe Photo(int faces, v1::FaceSelection selection) {
  v1::Probe probe;
  probe.set_image(PhotoBytes(faces));
  probe.set_face_selection(selection);
  if (selection == v1::FACE_SELECTION_BOX) {
    probe.mutable_box()->set_x(20);
    probe.mutable_box()->set_y(10);
    probe.mutable_box()->set_width(100);
    probe.mutable_box()->set_height(100);
  }
  return probe;
}

v1::Probe Vector(uint64_t pattern, const std::string& model_digest) {
  v1::Probe probe;
  for (const float value : FakeEmbedder::Describe({PatternImage(pattern)})) {
    probe.mutable_embedding()->add_values(value);
  }
  probe.mutable_embedding()->set_model_digest(model_digest);
  return probe;
}

std::string OwnDigest() { return FakeEmbedder().card().model_digest; }

v1::Probe Stored(const std::string& collection, const std::string& identity, uint64_t id) {
  v1::Probe probe;
  probe.set_template_name(TemplateName(collection, identity, id));
  return probe;
}

EncodedCall Enroll(const std::string& identity, const std::vector<v1::Probe>& samples,
                   const std::string& collection = "people") {
  v1::EnrollRequest request;
  request.set_collection_id(collection);
  request.set_identity_id(identity);
  for (const v1::Probe& sample : samples) *request.add_samples() = sample;
  return CallOf("Enroll", request);
}

EncodedCall Verify(const std::string& identity, const v1::Probe& probe) {
  v1::VerifyRequest request;
  request.set_collection_id("people");
  request.set_identity_id(identity);
  *request.mutable_probe() = probe;
  return CallOf("Verify", request);
}

EncodedCall Identify(const v1::Probe& probe, const std::string& collection = "people") {
  v1::IdentifyRequest request;
  request.set_collection_id(collection);
  *request.mutable_probe() = probe;
  request.set_max_candidates(3);
  request.set_include_below_threshold(true);
  request.mutable_operating_point()->set_min_cosine(0.3f);
  return CallOf("Identify", request);
}

EncodedCall CreateCollection(const std::string& collection) {
  v1::CreateCollectionRequest request;
  request.set_collection_id(collection);
  request.set_min_cosine(0.25f);
  return CallOf("CreateCollection", request);
}

// Labels that "ada" is given first.
std::vector<EncodedCall> IdentifyByLabels() {
  v1::UpdateIdentityRequest update;
  update.set_collection_id("people");
  update.set_identity_id("ada");
  (*update.mutable_identity()->mutable_labels())["team"] = "blue";
  update.mutable_update_mask()->add_paths("labels");
  v1::IdentifyRequest request;
  request.set_collection_id("people");
  *request.mutable_probe() = Crop(1);
  (*request.mutable_labels())["team"] = "blue";
  return {CallOf("UpdateIdentity", update), CallOf("Identify", request)};
}

// Several collections, of which the last is of another model.
std::vector<EncodedCall> IdentifyInSeveral(const v1::Probe& probe) {
  v1::IdentifyRequest request;
  request.set_collection_id("people");
  request.add_more_collection_ids("new");
  *request.mutable_probe() = probe;
  request.set_unique_identities(probe.face_selection() == v1::FACE_SELECTION_ALL);
  request.mutable_operating_point()->set_min_cosine(0.3f);
  const EncodedCall identify = CallOf("Identify", request);
  request.add_more_collection_ids("older");
  return {CreateCollection("new"), Enroll("ada", {Crop(1)}, "new"), identify,
          CallOf("Identify", request)};
}

EncodedCall Embed(const v1::Probe& probe) {
  v1::EmbedRequest request;
  *request.mutable_probe() = probe;
  return CallOf("Embed", request);
}

EncodedCall Detect(int faces, v1::FaceSelection selection) {
  v1::DetectRequest request;
  request.set_image(PhotoBytes(faces));
  request.set_face_selection(selection);
  return CallOf("Detect", request);
}

EncodedCall Compare(const v1::Probe& first, const v1::Probe& second) {
  v1::CompareRequest request;
  *request.mutable_first() = first;
  *request.mutable_second() = second;
  request.mutable_operating_point()->set_min_cosine(-1.0f);
  return CallOf("Compare", request);
}

template <typename Request>
EncodedCall OfCollection(const std::string& method) {
  Request request;
  request.set_collection_id("people");
  return CallOf(method, request);
}

EncodedCall DeleteCollection(bool force) {
  v1::DeleteCollectionRequest request;
  request.set_collection_id("people");
  request.set_force(force);
  return CallOf("DeleteCollection", request);
}

template <typename Request>
EncodedCall OfIdentity(const std::string& method, const std::string& identity = "ada") {
  Request request;
  request.set_collection_id("people");
  request.set_identity_id(identity);
  return CallOf(method, request);
}

EncodedCall DeleteTemplate(uint64_t id) {
  v1::DeleteTemplateRequest request;
  request.set_collection_id("people");
  request.set_identity_id("ada");
  request.set_template_id(id);
  return CallOf("DeleteTemplate", request);
}

constexpr char kRequestId[] = "c0ffee00-0000-4000-8000-000000000001";

// The etag is that of "ada", before the first call and not after it.
std::vector<EncodedCall> Updates() {
  v1::UpdateIdentityRequest request;
  request.set_collection_id("people");
  request.set_identity_id("ada");
  (*request.mutable_identity()->mutable_labels())["team"] = "blue";
  (*request.mutable_identity()->mutable_labels())["note"] = "made up";
  request.mutable_identity()->set_etag("ada");
  request.mutable_update_mask()->add_paths("labels");
  const EncodedCall all = CallOf("UpdateIdentity", request);
  request.mutable_identity()->mutable_labels()->erase("note");
  request.mutable_identity()->clear_etag();
  *request.mutable_update_mask()->mutable_paths(0) = "labels.team";
  request.mutable_update_mask()->add_paths("labels.note");
  request.set_request_id(kRequestId);
  return {all, CallOf("UpdateIdentity", request),
          OfIdentity<v1::GetIdentityRequest>("GetIdentity")};
}

std::vector<EncodedCall> Rename() {
  v1::RenameIdentityRequest request;
  request.set_collection_id("people");
  request.set_identity_id("ada");
  request.set_new_identity_id("eda");
  request.set_etag("ada");
  request.set_request_id(kRequestId);
  return {CallOf("RenameIdentity", request),
          OfIdentity<v1::GetIdentityRequest>("GetIdentity", "eda"),
          Verify("eda", Stored("people", "eda", 1))};
}

std::vector<EncodedCall> Merge() {
  v1::MergeIdentitiesRequest request;
  request.set_collection_id("people");
  request.set_target_identity_id("ada");
  request.set_source_identity_id("bob");
  request.set_target_etag("ada");
  request.set_source_etag("bob");
  request.set_request_id(kRequestId);
  return {CallOf("MergeIdentities", request), OfIdentity<v1::ListTemplatesRequest>("ListTemplates"),
          Identify(Stored("people", "ada", 2))};
}

// Each write with a request id; the last is of another body with the same one.
std::vector<EncodedCall> Once(const v1::Probe& probe) {
  v1::CreateCollectionRequest create;
  create.set_collection_id("new");
  create.set_request_id(kRequestId);
  v1::EnrollRequest enroll;
  enroll.set_collection_id("people");
  enroll.set_identity_id("cy");
  *enroll.add_samples() = probe;
  enroll.set_request_id("c0ffee00-0000-4000-8000-000000000002");
  v1::DeleteIdentityRequest erase;
  erase.set_collection_id("people");
  erase.set_identity_id("cy");
  erase.set_etag("cy");
  erase.set_request_id("c0ffee00-0000-4000-8000-000000000003");
  v1::DeleteTemplateRequest remove;
  remove.set_collection_id("people");
  remove.set_identity_id("ada");
  remove.set_template_id(1);
  remove.set_request_id("c0ffee00-0000-4000-8000-000000000004");
  v1::DeleteCollectionRequest drop;
  drop.set_collection_id("new");
  drop.set_request_id("c0ffee00-0000-4000-8000-000000000005");
  const EncodedCall again = CallOf("Enroll", enroll);
  return {CallOf("CreateCollection", create),
          again,
          CallOf("DeleteTemplate", remove),
          CallOf("DeleteIdentity", erase),
          again,
          CallOf("DeleteCollection", drop),
          CallOf("CreateCollection", create),
          Enroll("cy", {probe})};
}

// Pages of one, the second by the token that the first gives.
std::vector<EncodedCall> CollectionPages() {
  v1::ListCollectionsRequest request;
  request.set_page_size(1);
  const EncodedCall first = CallOf("ListCollections", request);
  request.set_page_token(MakePageToken({"ListCollections"}, "older"));
  return {first, CallOf("ListCollections", request)};
}

std::vector<EncodedCall> IdentityPages() {
  v1::ListIdentitiesRequest request;
  request.set_collection_id("people");
  request.set_page_size(1);
  const EncodedCall first = CallOf("ListIdentities", request);
  request.set_page_token(MakePageToken({"ListIdentities", "people"}, "ada"));
  return {first, CallOf("ListIdentities", request)};
}

std::vector<EncodedCall> TemplatePages() {
  v1::ListTemplatesRequest request;
  request.set_collection_id("people");
  request.set_identity_id("ada");
  request.set_page_size(1);
  const EncodedCall first = CallOf("ListTemplates", request);
  request.set_page_token(MakePageToken({"ListTemplates", "people", "ada"}, "3"));
  return {first, CallOf("ListTemplates", request)};
}

}  // namespace

std::vector<Seed> RequestSeeds() {
  const v1::Probe one = Photo(1, v1::FACE_SELECTION_UNSPECIFIED);
  const v1::Probe vector = Vector(1, OwnDigest());
  const v1::Probe foreign = Vector(1, RequestWorld::OtherModel().model_digest);
  const std::pair<const char*, std::vector<EncodedCall>> sequences[] = {
      {"enroll_crops", {Enroll("cy", {Crop(1), Crop(2)})}},
      {"enroll_photo", {Enroll("cy", {one})}},
      {"enroll_several_faces", {Enroll("cy", {Photo(2, v1::FACE_SELECTION_UNSPECIFIED)})}},
      {"enroll_embedding", {Enroll("ada", {vector})}},
      {"enroll_other_model", {Enroll("eve", {Crop(1)}, "older")}},
      {"verify_crop", {Verify("ada", Crop(1))}},
      {"verify_photo", {Verify("bob", one)}},
      {"verify_stored", {Verify("ada", Stored("people", "bob", 4))}},
      {"verify_no_face", {Verify("ada", Photo(0, v1::FACE_SELECTION_SINGLE))}},
      {"identify_crop", {Identify(Crop(3))}},
      {"identify_all", {Identify(Photo(3, v1::FACE_SELECTION_ALL))}},
      {"identify_central", {Identify(Photo(3, v1::FACE_SELECTION_CENTRAL))}},
      {"identify_box", {Identify(Photo(3, v1::FACE_SELECTION_BOX))}},
      {"identify_stored", {Identify(Stored("people", "ada", 1))}},
      {"identify_labels", IdentifyByLabels()},
      {"identify_several", IdentifyInSeveral(Crop(1))},
      {"identify_several_all", IdentifyInSeveral(Photo(3, v1::FACE_SELECTION_ALL))},
      {"identify_other_model", {Identify(Stored("older", "eve", 1), "older")}},
      {"embed_crop", {Embed(Crop(9))}},
      {"embed_photo", {Embed(one)}},
      {"detect", {Detect(3, v1::FACE_SELECTION_UNSPECIFIED)}},
      {"detect_largest", {Detect(3, v1::FACE_SELECTION_LARGEST)}},
      {"compare_crops", {Compare(Crop(1), Crop(2))}},
      {"compare_embeddings", {Compare(vector, foreign)}},
      {"compare_stored", {Compare(Stored("people", "ada", 1), one)}},
      {"collections",
       {CreateCollection("new"), CreateCollection("new"), Enroll("x", {vector}, "new")}},
      {"get_collection", {OfCollection<v1::GetCollectionRequest>("GetCollection")}},
      {"delete_collection", {DeleteCollection(false), DeleteCollection(true)}},
      {"get_identity", {OfIdentity<v1::GetIdentityRequest>("GetIdentity")}},
      {"delete_identity",
       {OfIdentity<v1::DeleteIdentityRequest>("DeleteIdentity"), Verify("ada", vector)}},
      {"delete_templates",
       {DeleteTemplate(1), DeleteTemplate(2), Verify("ada", vector), Identify(vector)}},
      {"list_collections", CollectionPages()},
      {"list_identities", IdentityPages()},
      {"list_templates", TemplatePages()},
      {"update_identity", Updates()},
      {"rename_identity", Rename()},
      {"merge_identities", Merge()},
      {"request_ids", Once(vector)},
      {"server_info", {CallOf("GetServerInfo", v1::GetServerInfoRequest())}},
  };
  std::vector<Seed> seeds;
  for (const auto& [name, calls] : sequences) seeds.push_back({name, WriteCalls(calls)});
  return seeds;
}

}  // namespace facegate
