#include "tests/integration/hostile_rows.h"

#include <fmt/format.h>
#include <grpcpp/support/status.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <limits>
#include <utility>

#include "face/base/coding.h"
#include "facegate/v1/face_service.pb.h"
#include "facegate/v1/gallery_service.pb.h"
#include "tests/support/synthetic_crop.h"

namespace facegate {
namespace {

using grpc::StatusCode;

constexpr char kRequestId[] = "0b5c8a52-7c1e-4b57-9d0e-1f1f5a3c7a11";
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::string Face(const char* method) { return std::string("/facegate.v1.FaceService/") + method; }
std::string Gallery(const char* method) {
  return std::string("/facegate.v1.GalleryService/") + method;
}

// Big-endian, as PNG has it.
std::string Number(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

std::string PngChunk(const std::string& type, const std::string& data) {
  const std::string checked = type + data;
  const auto crc =
      ::crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()));
  return Number(static_cast<uint32_t>(data.size())) + checked + Number(static_cast<uint32_t>(crc));
}

// A PNG whose header claims this size, with hardly any pixels in it.
std::string PngClaiming(uint32_t width, uint32_t height) {
  return std::string("\x89PNG\r\n\x1a\n", 8) +
         PngChunk("IHDR", Number(width) + Number(height) + std::string("\x08\x02\0\0\0", 5)) +
         PngChunk("IDAT", std::string("\x78\x9c\x03\0\0\0\0\x01", 8)) + PngChunk("IEND", "");
}

v1::Probe EmbeddingProbe(const HostileWorld& world, size_t direction) {
  v1::Probe probe;
  for (size_t i = 0; i < world.embedding_size; ++i) {
    probe.mutable_embedding()->add_values(i == direction ? 1.0F : 0.0F);
  }
  probe.mutable_embedding()->set_model_digest(world.model_digest);
  return probe;
}

class Rows {
 public:
  explicit Rows(const HostileWorld& world) : world_(world) {}

  std::vector<HostileRow> Take() {
    AddPictures(false);
    if (world_.has_detector) AddPictures(true);
    if (world_.has_detector) AddFaces();
    AddEmbeddings();
    AddIds();
    AddFields();
    AddStates();
    AddTransport();
    return std::move(rows_);
  }

 private:
  struct Expected {
    StatusCode code;
    std::string reason{};
    std::string field{};
    std::string message = ".*";
  };

  // Spoils a request that is right.
  template <typename Request>
  void Add(std::string name, std::string method, Request request, Expected expected,
           WireOptions options = {}) {
    AddBytes(std::move(name), std::move(method), request.SerializeAsString(), std::move(expected),
             std::move(options));
  }
  void AddBytes(std::string name, std::string method, std::string bytes, Expected expected,
                WireOptions options = {}) {
    rows_.push_back(
        {.name = std::move(name),
         .call = [channel = world_.channel, method = std::move(method), bytes = std::move(bytes),
                  options =
                      std::move(options)] { return CallRaw(channel, method, bytes, options); },
         .code = expected.code,
         .reason = std::move(expected.reason),
         .field = std::move(expected.field),
         .message = std::move(expected.message)});
  }

  v1::EnrollRequest Enroll() const {
    v1::EnrollRequest request;
    request.set_collection_id("people");
    request.set_identity_id("c");
    *request.add_samples() = EmbeddingProbe(world_, 0);
    return request;
  }
  v1::IdentifyRequest Identify() const {
    v1::IdentifyRequest request;
    request.set_collection_id("people");
    *request.mutable_probe() = EmbeddingProbe(world_, 0);
    return request;
  }
  v1::VerifyRequest Verify() const {
    v1::VerifyRequest request;
    request.set_collection_id("people");
    request.set_identity_id("a");
    *request.mutable_probe() = EmbeddingProbe(world_, 0);
    return request;
  }

  // Each as an image, where the server has a detector, and as an aligned crop.
  void AddPictures(bool as_image) {
    const std::string kind = as_image ? "image" : "aligned_crop";
    const std::string jpeg = Encode(SyntheticCrop(1), ".jpg");
    const auto add = [&](const std::string& what, const std::string& bytes, Expected expected) {
      v1::EnrollRequest request = Enroll();
      *request.add_samples() = v1::Probe();
      v1::Probe* const probe = request.mutable_samples(1);
      as_image ? probe->set_image(bytes) : probe->set_aligned_crop(bytes);
      expected.field = "samples[1]." + kind;
      Add(kind + ": " + what, Face("Enroll"), request, std::move(expected));
    };
    const auto undecodable = [](std::string message) {
      return Expected{StatusCode::INVALID_ARGUMENT, "IMAGE_UNDECODABLE", "", std::move(message)};
    };
    const auto too_large = [](std::string message) {
      return Expected{StatusCode::INVALID_ARGUMENT, "IMAGE_TOO_LARGE", "", std::move(message)};
    };
    add("empty", "", undecodable("empty \\(0 bytes\\)"));
    add("half a JPEG", jpeg.substr(0, jpeg.size() / 2), undecodable("JPEG"));
    add("two bytes of a JPEG", jpeg.substr(0, 2), undecodable("JPEG"));
    add("a text file", "name,score\nanna,1\n",
        undecodable("this is a text file, which is not among .*: JPEG, PNG, WebP"));
    add("a PNG of noise", std::string("\x89PNG\r\n\x1a\n", 8) + std::string(500, '\x5a'),
        undecodable("PNG"));
    add("too many bytes", std::string(world_.max_image_bytes + 1, 'x'),
        too_large(fmt::format("{} bytes, the limit is {}", world_.max_image_bytes + 1,
                              world_.max_image_bytes)));
    if (as_image) {
      add("100 megapixels", PngClaiming(10'000, 10'000),
          too_large("10000x10000, which is 100000000 pixels, the limit is 40000000"));
    } else {
      add("100 megapixels", PngClaiming(10'000, 10'000),
          {StatusCode::INVALID_ARGUMENT, "CROP_SIZE", "", "10000x10000.*112x112"});
      const cv::Mat wrong(96, 112, CV_8UC3, cv::Scalar(1, 2, 3));
      add("96 rows", Encode(wrong, ".png"),
          {StatusCode::INVALID_ARGUMENT, "CROP_SIZE", "", "112x96 pixels.*112x112"});
    }
  }

  void AddFaces() {
    v1::EnrollRequest request = Enroll();
    request.mutable_samples(0)->set_image(
        Encode(cv::Mat(300, 400, CV_8UC3, cv::Scalar(9)), ".png"));
    Add("no face", Face("Enroll"), request,
        {StatusCode::INVALID_ARGUMENT, "NO_FACE", "samples[0].image", "400x300"});
    if (world_.two_faces.empty()) return;
    request.mutable_samples(0)->set_image(world_.two_faces);
    request.mutable_samples(0)->set_face_selection(v1::FACE_SELECTION_SINGLE);
    Add("two faces for SINGLE", Face("Enroll"), request,
        {StatusCode::INVALID_ARGUMENT, "MULTIPLE_FACES", "samples[0].image",
         "2 faces found, exactly one"});
  }

  void AddEmbeddings() {
    const auto add = [&](const std::string& what,
                         const std::function<void(v1::TaggedEmbedding&)>& spoil,
                         Expected expected) {
      v1::IdentifyRequest request = Identify();
      spoil(*request.mutable_probe()->mutable_embedding());
      Add("embedding: " + what, Face("Identify"), request, std::move(expected));
    };
    const auto invalid = [](std::string message) {
      return Expected{StatusCode::INVALID_ARGUMENT, "EMBEDDING_INVALID", "probe.embedding",
                      std::move(message)};
    };
    const size_t size = world_.embedding_size;
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
         "^probe.embedding: .*0{64}.*" + world_.model_digest});
    add("no digest", [](auto& e) { e.clear_model_digest(); },
        {StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "probe.embedding.model_digest",
         "0 bytes, must be 64"});
  }

  void AddIds() {
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
      const Expected refused{StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "", message};
      const auto at = [&](const char* field) {
        Expected expected = refused;
        expected.field = field;
        return expected;
      };
      v1::EnrollRequest enroll = Enroll();
      enroll.set_identity_id(id);
      Add("identity id: " + message, Face("Enroll"), enroll, at("identity_id"));
      v1::CreateCollectionRequest create;
      create.set_collection_id(id);
      Add("collection id: " + message, Gallery("CreateCollection"), create, at("collection_id"));
      v1::RenameIdentityRequest rename;
      rename.set_collection_id("people");
      rename.set_identity_id("a");
      rename.set_new_identity_id(id);
      Add("new id: " + message, Gallery("RenameIdentity"), rename, at("new_identity_id"));
      v1::VerifyRequest verify = Verify();
      verify.mutable_probe()->set_template_name("collections/people/identities/" + id +
                                                "/templates/1");
      Add("template name: " + message, Face("Verify"), verify,
          {StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "probe.template_name",
           "collections/\\{c\\}/identities/\\{i\\}/templates/\\{t\\}"});
    }
  }

  // A crop without a face where good ones are wanted, and qualities that are none, wherever one is
  // taken.
  void AddQualities() {
    v1::EnrollRequest enroll = Enroll();
    enroll.set_collection_id("strict");
    enroll.mutable_samples(0)->set_aligned_crop(Encode(SyntheticCrop(1), ".png"));
    Add("no face in the crop", Face("Enroll"), enroll,
        {StatusCode::INVALID_ARGUMENT, "LOW_QUALITY", "samples[0].aligned_crop",
         "not good enough to enrol: .* wanted"});
    const std::pair<float, const char*> wrong[] = {
        {1.5F, "1.5"}, {-0.25F, "-0.25"}, {std::numeric_limits<float>::quiet_NaN(), "nan"}};
    for (const auto& [value, text] : wrong) {
      const auto refused = [text = text](const char* field) {
        return Expected{StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", field,
                        std::string(text) + ", must be 0 to 1"};
      };
      v1::CreateCollectionRequest create;
      create.set_collection_id("never");
      create.set_enrol_quality(value);
      Add(std::string("created with enrol_quality ") + text, Gallery("CreateCollection"), create,
          refused("enrol_quality"));
      create.clear_enrol_quality();
      create.set_probe_quality(value);
      Add(std::string("created with probe_quality ") + text, Gallery("CreateCollection"), create,
          refused("probe_quality"));
      v1::UpdateCollectionRequest update;
      update.set_collection_id("people");
      update.mutable_update_mask()->add_paths("enrol_quality");
      update.mutable_collection()->set_enrol_quality(value);
      Add(std::string("enrol_quality ") + text, Gallery("UpdateCollection"), update,
          refused("collection.enrol_quality"));
      update.set_collection_id("people");
      update.mutable_update_mask()->set_paths(0, "probe_quality");
      update.mutable_collection()->set_probe_quality(value);
      Add(std::string("probe_quality ") + text, Gallery("UpdateCollection"), update,
          refused("collection.probe_quality"));
      v1::CompareRequest compare;
      *compare.mutable_first() = Identify().probe();
      *compare.mutable_second() = Identify().probe();
      compare.set_probe_quality(value);
      Add(std::string("compared with probe_quality ") + text, Face("Compare"), compare,
          refused("probe_quality"));
    }
  }

  void AddFields() {
    const auto invalid = [](std::string field, std::string message) {
      return Expected{StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", std::move(field),
                      std::move(message)};
    };
    v1::EnrollRequest enroll = Enroll();
    while (enroll.samples_size() < 17) *enroll.add_samples() = enroll.samples(0);
    Add("17 samples", Face("Enroll"), enroll, invalid("samples", "17 entries, must have 1 to 16"));
    v1::IdentifyRequest identify = Identify();
    identify.set_max_candidates(4'000'000'000U);
    Add("many candidates", Face("Identify"), identify,
        invalid("max_candidates", "4000000000, must be at most 100"));
    identify = Identify();
    identify.mutable_operating_point()->set_min_cosine(1.5F);
    Add("cosine 1.5", Face("Identify"), identify,
        invalid("operating_point.min_cosine", "1.5, must be -1 to 1"));
    identify = Identify();
    identify.clear_probe();
    Add("no probe", Face("Identify"), identify, invalid("probe", "missing"));
    AddQualities();
    v1::ListIdentitiesRequest list;
    list.set_collection_id("people");
    list.set_page_size(-1);
    Add("negative page", Gallery("ListIdentities"), list,
        invalid("page_size", "-1, must not be negative"));
    list.set_page_size(1);
    list.set_page_token("AAAA");
    Add("made-up token", Gallery("ListIdentities"), list, invalid("page_token", "is not a token"));
    v1::UpdateIdentityRequest update;
    update.set_collection_id("people");
    update.set_identity_id("a");
    update.mutable_update_mask()->add_paths("labels.k");
    (*update.mutable_identity()->mutable_labels())["k"] = std::string(257, 'v');
    Add("long label", Gallery("UpdateIdentity"), update,
        invalid("identity.labels", "257 bytes, must be at most 256"));
    v1::DeleteIdentityRequest erase;
    erase.set_collection_id("people");
    erase.set_identity_id("a");
    erase.set_request_id("12345");
    Add("request id that is no UUID", Gallery("DeleteIdentity"), erase,
        invalid("request_id", "8-4-4-4-12"));
  }

  void AddStates() {
    const auto refused = [](StatusCode code, std::string reason, std::string message = ".*") {
      return Expected{code, std::move(reason), "", std::move(message)};
    };
    v1::IdentifyRequest identify = Identify();
    identify.set_collection_id("nowhere");
    Add("unknown collection", Face("Identify"), identify,
        refused(StatusCode::NOT_FOUND, "COLLECTION_NOT_FOUND", "no such collection"));
    v1::VerifyRequest verify = Verify();
    verify.set_identity_id("nobody");
    Add("unknown identity", Face("Verify"), verify,
        refused(StatusCode::NOT_FOUND, "IDENTITY_NOT_FOUND", "no such identity"));
    v1::DeleteTemplateRequest erase;
    erase.set_collection_id("people");
    erase.set_identity_id("a");
    erase.set_template_id(999'999);
    Add("unknown template", Gallery("DeleteTemplate"), erase,
        refused(StatusCode::NOT_FOUND, "TEMPLATE_NOT_FOUND", "no such template"));
    v1::CreateCollectionRequest create;
    create.set_collection_id("people");
    Add("collection exists", Gallery("CreateCollection"), create,
        refused(StatusCode::ALREADY_EXISTS, "COLLECTION_EXISTS"));
    create.set_collection_id("other");
    create.set_request_id(kRequestId);
    Add("request id used before", Gallery("CreateCollection"), create,
        refused(StatusCode::FAILED_PRECONDITION, "REQUEST_ID_REUSED", "another request"));
    v1::EnrollRequest enroll = Enroll();
    enroll.set_identity_id("a");
    enroll.set_must_be_new(true);
    Add("identity exists", Face("Enroll"), enroll,
        refused(StatusCode::ALREADY_EXISTS, "IDENTITY_EXISTS"));
    identify = Identify();
    identify.set_collection_id("bare");
    Add("no operating point", Face("Identify"), identify,
        refused(StatusCode::FAILED_PRECONDITION, "NO_OPERATING_POINT",
                "request.*collection.*model card"));
    v1::DeleteCollectionRequest drop;
    drop.set_collection_id("people");
    Add("collection not empty", Gallery("DeleteCollection"), drop,
        refused(StatusCode::FAILED_PRECONDITION, "COLLECTION_NOT_EMPTY", "has 2 identities"));
    v1::RenameIdentityRequest rename;
    rename.set_collection_id("people");
    rename.set_identity_id("a");
    rename.set_new_identity_id("c");
    rename.set_etag("stale");
    Add("another etag", Gallery("RenameIdentity"), rename,
        refused(StatusCode::ABORTED, "ETAG_MISMATCH", "read it again"));
  }

  // A refusal of gRPC's own has no details.
  void AddTransport() {
    const std::string right = Identify().SerializeAsString();
    AddBytes("oversize message", Face("Identify"), std::string(world_.max_message_bytes + 1, '\0'),
             {StatusCode::RESOURCE_EXHAUSTED, "", "",
              fmt::format("larger than max \\({} vs. {}\\)", world_.max_message_bytes + 1,
                          world_.max_message_bytes)});
    AddBytes("unknown method", Face("Bogus"), right, {StatusCode::UNIMPLEMENTED});
    AddBytes("unknown service", "/facegate.v1.NoService/Identify", right,
             {StatusCode::UNIMPLEMENTED});
    AddBytes("path of another place", "/../../etc/passwd", right, {StatusCode::UNIMPLEMENTED});
    AddBytes("bytes that are no message", Face("Identify"), std::string(100, '\xff'),
             {StatusCode::UNIMPLEMENTED});
    AddBytes("a truncated message", Face("Identify"), right.substr(0, right.size() - 3),
             {StatusCode::UNIMPLEMENTED});
    AddBytes("an id that is no UTF-8", Face("Identify"), std::string("\x0a\x02\xc3\x28", 4),
             {StatusCode::UNIMPLEMENTED});
    AddBytes("large metadata", Face("Identify"), right, {StatusCode::RESOURCE_EXHAUSTED},
             {.metadata = {{"x-large", std::string(20'000, 'a')}}});
    // gRPC closes the connection after that, and other calls with it.
    rows_.back().call = [target = world_.target, right] {
      return CallRaw(OwnConnection(target), Face("Identify"), right,
                     {.metadata = {{"x-large", std::string(20'000, 'a')}}});
    };
    // Two crops keep the model busy for longer than the cancellation takes.
    v1::CompareRequest compare;
    compare.mutable_first()->set_aligned_crop(Encode(SyntheticCrop(1), ".png"));
    compare.mutable_second()->set_aligned_crop(Encode(SyntheticCrop(2), ".png"));
    compare.mutable_operating_point()->set_min_cosine(0.5F);
    Add("cancelled", Face("Compare"), compare, {StatusCode::CANCELLED}, {.cancel = true});
    AddBytes("deadline in the past", Face("Identify"), right, {StatusCode::DEADLINE_EXCEEDED},
             {.timeout = std::chrono::milliseconds(-1000)});
  }

  const HostileWorld& world_;
  std::vector<HostileRow> rows_;
};

template <typename Request>
WireAnswer MustWork(const HostileWorld& world, const std::string& method, const Request& request) {
  WireAnswer answer = CallRaw(world.channel, method, request.SerializeAsString());
  EXPECT_EQ(answer.code, 0) << method << ": " << answer.message;
  return answer;
}

}  // namespace

void PrepareHostileWorld(HostileWorld& world) {
  v1::CreateCollectionRequest create;
  create.set_collection_id("people");
  create.set_min_cosine(0.5F);
  create.set_request_id(kRequestId);
  MustWork(world, Gallery("CreateCollection"), create);
  create.clear_min_cosine();
  create.clear_request_id();
  create.set_collection_id("bare");
  MustWork(world, Gallery("CreateCollection"), create);
  create.set_collection_id("strict");
  create.set_enrol_quality(1.0F);
  MustWork(world, Gallery("CreateCollection"), create);
  for (const size_t direction : {0U, 1U}) {
    v1::EnrollRequest enroll;
    enroll.set_collection_id("people");
    enroll.set_identity_id(direction == 0 ? "a" : "b");
    *enroll.add_samples() = EmbeddingProbe(world, direction);
    MustWork(world, Face("Enroll"), enroll);
  }
}

std::vector<HostileRow> HostileRows(const HostileWorld& world) { return Rows(world).Take(); }

WireAnswer IdentifyA(const HostileWorld& world) {
  v1::IdentifyRequest request;
  request.set_collection_id("people");
  *request.mutable_probe() = EmbeddingProbe(world, 0);
  return CallRaw(world.channel, Face("Identify"), request.SerializeAsString());
}

}  // namespace facegate
