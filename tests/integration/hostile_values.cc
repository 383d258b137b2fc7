// Embeddings, ids, qualities and other values that must be refused.

#include <fmt/format.h>

#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/hostile_row_list.h"
#include "tests/support/synthetic_crop.h"

namespace facegate {
namespace {

using grpc::StatusCode;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

void AddEmbeddings(HostileRowList& rows) {
  const auto add = [&](const std::string& what,
                       const std::function<void(v1::TaggedEmbedding&)>& spoil,
                       ExpectedRefusal expected) {
    v1::IdentifyRequest request = rows.Identify();
    spoil(*request.mutable_probe()->mutable_embedding());
    rows.Add("embedding: " + what, FaceMethod("Identify"), request, std::move(expected));
  };
  const auto invalid = [](std::string message) {
    return ExpectedRefusal{StatusCode::INVALID_ARGUMENT, "EMBEDDING_INVALID", "probe.embedding",
                           std::move(message)};
  };
  const size_t size = rows.world().embedding_size;
  add(
      "one value short", [](auto& e) { e.mutable_values()->RemoveLast(); },
      invalid(fmt::format("{} values.*{}", size - 1, size)));
  add(
      "none", [](auto& e) { e.clear_values(); }, invalid(fmt::format("0 values.*{}", size)));
  add(
      "100000 values", [](auto& e) { e.mutable_values()->Resize(100'000, 1.0F); },
      invalid(fmt::format("100000 values.*{}", size)));
  add(
      "NaN", [](auto& e) { e.set_values(3, kNan); }, invalid("value 3 of [0-9]+ is not finite"));
  add(
      "infinite", [](auto& e) { e.set_values(4, -kInfinity); },
      invalid("value 4 of [0-9]+ is not finite"));
  add(
      "all zero", [](auto& e) { e.set_values(0, 0.0F); }, invalid("length 0.*at least 1e-12"));
  add("another model", [](auto& e) { e.set_model_digest(std::string(64, '0')); },
      {StatusCode::FAILED_PRECONDITION, "MODEL_MISMATCH", "",
       "^probe.embedding: .*0{64}.*" + rows.world().model_digest});
  add("no digest", [](auto& e) { e.clear_model_digest(); },
      {StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "probe.embedding.model_digest",
       "0 bytes, must be 64"});
}

void AddIds(HostileRowList& rows) {
  const std::vector<std::pair<std::string, std::string>> hostile = {
      {"../x", "must begin with"},
      {std::string("a\0b", 3), "at byte 1"},
      {"", "empty"},
      {std::string(10'240, 'a'), "10240 bytes, limit is 128"},
      {"a/b", "at byte 1"},
      {"a\nb", "at byte 1"},
      {"\xc3\xa4", "must begin with"},
      {"a\xe2\x80\xae", "at byte 1"},
      {"a b", "at byte 1"},
      {"%2e%2e", "must begin with"}};
  for (const auto& [id, message] : hostile) {
    const ExpectedRefusal refused{StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "", message};
    const auto at = [&](const char* field) {
      ExpectedRefusal expected = refused;
      expected.field = field;
      return expected;
    };
    v1::EnrollRequest enroll = rows.Enroll();
    enroll.set_identity_id(id);
    rows.Add("identity id: " + message, FaceMethod("Enroll"), enroll, at("identity_id"));
    v1::CreateCollectionRequest create;
    create.set_collection_id(id);
    rows.Add("collection id: " + message, GalleryMethod("CreateCollection"), create,
             at("collection_id"));
    v1::RenameIdentityRequest rename;
    rename.set_collection_id("people");
    rename.set_identity_id("a");
    rename.set_new_identity_id(id);
    rows.Add("new id: " + message, GalleryMethod("RenameIdentity"), rename, at("new_identity_id"));
    v1::VerifyRequest verify = rows.Verify();
    verify.mutable_probe()->set_template_name("collections/people/identities/" + id +
                                              "/templates/1");
    rows.Add("template name: " + message, FaceMethod("Verify"), verify,
             {StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "probe.template_name",
              "collections/\\{c\\}/identities/\\{i\\}/templates/\\{t\\}"});
  }
}

// A crop without a face where good ones are wanted, and qualities that are none, wherever one is
// taken.
void AddQualities(HostileRowList& rows) {
  v1::EnrollRequest enroll = rows.Enroll();
  enroll.set_collection_id("strict");
  enroll.mutable_samples(0)->set_aligned_crop(Encode(SyntheticCrop(1), ".png"));
  rows.Add("no face in the crop", FaceMethod("Enroll"), enroll,
           {StatusCode::INVALID_ARGUMENT, "LOW_QUALITY", "samples[0].aligned_crop",
            "not good enough to enrol: .* wanted"});
  const std::pair<float, const char*> wrong[] = {{1.5F, "1.5"}, {-0.25F, "-0.25"}, {kNan, "nan"}};
  for (const auto& [value, text] : wrong) {
    const auto refused = [text = text](const char* field) {
      return ExpectedRefusal{StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", field,
                             std::string(text) + ", must be 0 to 1"};
    };
    v1::CreateCollectionRequest create;
    create.set_collection_id("never");
    create.set_enrol_quality(value);
    rows.Add(std::string("created with enrol_quality ") + text, GalleryMethod("CreateCollection"),
             create, refused("enrol_quality"));
    create.clear_enrol_quality();
    create.set_probe_quality(value);
    rows.Add(std::string("created with probe_quality ") + text, GalleryMethod("CreateCollection"),
             create, refused("probe_quality"));
    v1::UpdateCollectionRequest update;
    update.set_collection_id("people");
    update.mutable_update_mask()->add_paths("enrol_quality");
    update.mutable_collection()->set_enrol_quality(value);
    rows.Add(std::string("enrol_quality ") + text, GalleryMethod("UpdateCollection"), update,
             refused("collection.enrol_quality"));
    update.set_collection_id("people");
    update.mutable_update_mask()->set_paths(0, "probe_quality");
    update.mutable_collection()->set_probe_quality(value);
    rows.Add(std::string("probe_quality ") + text, GalleryMethod("UpdateCollection"), update,
             refused("collection.probe_quality"));
    v1::CompareRequest compare;
    *compare.mutable_first() = rows.Identify().probe();
    *compare.mutable_second() = rows.Identify().probe();
    compare.set_probe_quality(value);
    rows.Add(std::string("compared with probe_quality ") + text, FaceMethod("Compare"), compare,
             refused("probe_quality"));
  }
}

// What is searched: labels, and further collections.
void AddSearches(HostileRowList& rows) {
  const auto invalid = [](std::string field, std::string message) {
    return ExpectedRefusal{StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", std::move(field),
                           std::move(message)};
  };
  v1::IdentifyRequest identify = rows.Identify();
  for (int i = 0; i < 65; ++i) (*identify.mutable_labels())["k" + std::to_string(i)] = "v";
  rows.Add("65 labels", FaceMethod("Identify"), identify, invalid("labels", "65.* at most 64"));
  identify = rows.Identify();
  while (identify.more_collection_ids_size() < 1000) identify.add_more_collection_ids("people");
  rows.Add("1000 collections", FaceMethod("Identify"), identify,
           invalid("more_collection_ids", "1000 entries, must have at most 15"));
  identify = rows.Identify();
  identify.add_more_collection_ids("../people");
  rows.Add("a further collection that is none", FaceMethod("Identify"), identify,
           invalid("more_collection_ids[0]", "must begin with"));
}

void AddFields(HostileRowList& rows) {
  const auto invalid = [](std::string field, std::string message) {
    return ExpectedRefusal{StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", std::move(field),
                           std::move(message)};
  };
  v1::EnrollRequest enroll = rows.Enroll();
  while (enroll.samples_size() < 17) *enroll.add_samples() = enroll.samples(0);
  rows.Add("17 samples", FaceMethod("Enroll"), enroll,
           invalid("samples", "17 entries, must have 1 to 16"));
  v1::IdentifyRequest identify = rows.Identify();
  identify.set_max_candidates(4'000'000'000U);
  rows.Add("many candidates", FaceMethod("Identify"), identify,
           invalid("max_candidates", "4000000000, must be at most 100"));
  identify = rows.Identify();
  identify.mutable_operating_point()->set_min_cosine(1.5F);
  rows.Add("cosine 1.5", FaceMethod("Identify"), identify,
           invalid("operating_point.min_cosine", "1.5, must be -1 to 1"));
  identify = rows.Identify();
  identify.clear_probe();
  rows.Add("no probe", FaceMethod("Identify"), identify, invalid("probe", "missing"));
  v1::ListIdentitiesRequest list;
  list.set_collection_id("people");
  list.set_page_size(-1);
  rows.Add("negative page", GalleryMethod("ListIdentities"), list,
           invalid("page_size", "-1, must not be negative"));
  list.set_page_size(1);
  list.set_page_token("AAAA");
  rows.Add("made-up token", GalleryMethod("ListIdentities"), list,
           invalid("page_token", "is not a token"));
  v1::UpdateIdentityRequest update;
  update.set_collection_id("people");
  update.set_identity_id("a");
  update.mutable_update_mask()->add_paths("labels.k");
  (*update.mutable_identity()->mutable_labels())["k"] = std::string(257, 'v');
  rows.Add("long label", GalleryMethod("UpdateIdentity"), update,
           invalid("identity.labels", "257 bytes, must be at most 256"));
  v1::DeleteIdentityRequest erase;
  erase.set_collection_id("people");
  erase.set_identity_id("a");
  erase.set_request_id("12345");
  rows.Add("request id that is no UUID", GalleryMethod("DeleteIdentity"), erase,
           invalid("request_id", "8-4-4-4-12"));
}

}  // namespace

void AddValues(HostileRowList& rows) {
  AddEmbeddings(rows);
  AddIds(rows);
  AddQualities(rows);
  AddSearches(rows);
  AddFields(rows);
}

}  // namespace facegate
