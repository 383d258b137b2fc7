#include "tests/fuzz/request_world.h"

#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <chrono>

#include "face/base/check.h"
#include "face/base/log.h"
#include "index/request_id.h"
#include "server/rpc/resource_name.h"
#include "tests/fuzz/message_fields.h"
#include "tests/support/pattern_image.h"

namespace facegate {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr DecodeLimits kDecodeLimits{.max_bytes = 20'000, .max_pixels = 250'000, .max_side = 2000};
constexpr RequestLimits kRequestLimits{.max_image_bytes = 20'000,
                                       .max_image_pixels = 250'000,
                                       .max_samples = 4,
                                       .max_candidates = 10,
                                       .max_message_bytes = 60'000};
// Ids above are left alone, so that a fuzzer can also name a number as it is.
constexpr uint64_t kResolvedIds = 1000;

StatusOr<std::unique_ptr<GalleryBackend>> OpenGallery(const std::string& directory, Clock& clock) {
  // Nothing is compacted meanwhile: it would cost more than the calls.
  return OpenLocalGallery(
      {.directory = directory, .load_threads = 1, .erase_delay = std::chrono::hours(24)}, clock);
}

ServerFacts Facts() {
  return {.version = "fuzz",
          .detector = "pixels",
          .limits = kRequestLimits,
          .compute = {.device = "cpu"}};
}

}  // namespace

StatusOr<std::vector<DetectedFace>> PixelDetector::Detect(const Image& image,
                                                          const StopCheck& stop) {
  FACEGATE_RETURN_IF_ERROR(Ask(stop));
  const cv::Vec3b first = image.bgr.at<cv::Vec3b>(0, 0);
  std::vector<DetectedFace> faces;
  for (int i = 0; i < first[0] % 4; ++i) {
    const cv::Vec3b place = image.bgr.at<cv::Vec3b>(0, std::min(i + 1, image.width() - 1));
    const auto x = static_cast<float>(place[0]) - 64.0f;
    const auto y = static_cast<float>(place[1]) - 64.0f;
    DetectedFace face{
        .box = {x, y, 112, 112}, .landmarks = {}, .score = 0.9f - 0.1f * static_cast<float>(i)};
    const int landmarks = place[2] % 4 == 0 ? 0 : place[2] % 4 == 1 ? 2 : 5;
    for (int k = 0; k < landmarks; ++k) {
      const auto& point = TemplatePoints(AlignmentTemplate::kArcFace112)[static_cast<size_t>(k)];
      face.landmarks.emplace_back(point.x + x, point.y + y);
    }
    faces.push_back(std::move(face));
  }
  return faces;
}

RequestWorld::RequestWorld()
    : batcher_({}, embedder_, clock_),
      decode_budget_(uint64_t{1} << 30, clock_),
      engine_(embedder_, batcher_, &detector_, &quality_meter_, kDecodeLimits, decode_budget_,
              clock_) {
  SetLogLevel(LogLevel::kError);
  google::protobuf::SetLogHandler(nullptr);  // it has a line for each text that is not UTF-8
  auto gallery = OpenGallery(dir_.File("store"), clock_);
  FACEGATE_CHECK(gallery.ok());
  gallery_ = *std::move(gallery);
  calibrations_ = std::make_unique<SiteCalibrations>(*gallery_, clock_);
  faces_ = std::make_unique<FaceService>(engine_, *gallery_, *gallery_, kRequestLimits,
                                         QualityPolicy{}, *calibrations_);
  galleries_ = std::make_unique<GalleryService>(
      *gallery_, *gallery_, engine_.model(), FakeEmbedder::kEmbeddingSize,
      CalibrationParts{.card = engine_.card(), .quality = {}, .calibrations = *calibrations_},
      clock_);
  admin_ = std::make_unique<AdminService>(Facts(), engine_.card(), *gallery_);
  MakeAnew();
}

ModelKey RequestWorld::OtherModel() {
  return {.model_digest = std::string(64, 'e'), .preprocessing_digest = std::string(64, 'f')};
}

void RequestWorld::MakeAnew() {
  const auto listed = gallery_->ListCollections("", 1000);
  FACEGATE_CHECK(listed.ok());
  for (const CollectionInfo& info : listed->items) {
    FACEGATE_CHECK(gallery_->DeleteCollection(info.id, true).ok());
  }
  FACEGATE_CHECK(gallery_->Stats()->templates == 0);
  constexpr int kSize = FakeEmbedder::kEmbeddingSize;
  const ModelKey& model = engine_.model();
  FACEGATE_CHECK(gallery_->CreateCollection("people", model, kSize, {.min_cosine = 0.5f}).ok());
  FACEGATE_CHECK(gallery_->CreateCollection("older", OtherModel(), kSize, {}).ok());
  Enrol("people", "ada", model, {1, 2});
  Enrol("people", "bob", model, {3});
  Enrol("older", "eve", OtherModel(), {4});
  const auto templates = gallery_->ListTemplates("people", "ada", 0, 1);
  FACEGATE_CHECK(templates.ok() && templates->size() == 1);
  first_template_ = templates->front().id;
  ++times_made_;
}

void RequestWorld::Enrol(const std::string& collection, const std::string& identity,
                         const ModelKey& model, std::initializer_list<uint64_t> patterns) {
  std::vector<NewTemplate> templates;
  for (const uint64_t pattern : patterns) {
    auto embedding = Embedding::Normalize(FakeEmbedder::Describe({PatternImage(pattern)}));
    FACEGATE_CHECK(embedding.ok());
    templates.push_back({.embedding = *std::move(embedding), .detector = "none"});
  }
  FACEGATE_CHECK(gallery_->Enrol(collection, identity, model, templates, {}).ok());
}

uint64_t RequestWorld::ResolvedTemplateId(uint64_t id) const {
  return id >= 1 && id <= kResolvedIds ? id - 1 + first_template_ : id;
}

std::string RequestWorld::ResolvedText(const std::string& field, const std::string& text) const {
  if (field == "template_name") {
    const auto path = ParseTemplateName(text);
    return path ? TemplateName(path->collection, path->identity,
                               ResolvedTemplateId(path->template_id))
                : text;
  }
  if (field.ends_with("etag")) {
    const auto identity = gallery_->GetIdentity("people", text);
    return identity.ok() ? identity->etag : text;
  }
  if (field == "request_id" && ParseRequestId(text)) {
    return fmt::format("{:08x}", times_made_ % 0x100000000) + text.substr(8);
  }
  return text;
}

void RequestWorld::Resolve(Message& request) const {
  VisitFields(request, [&](Message& message, const FieldDescriptor& field) {
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    if (field.is_repeated()) return;
    if (field.name() == "template_id" && field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64) {
      const uint64_t id = reflection.GetUInt64(message, &field);
      reflection.SetUInt64(&message, &field, ResolvedTemplateId(id));
    } else if (field.type() == FieldDescriptor::TYPE_STRING) {
      const std::string text = reflection.GetString(message, &field);
      reflection.SetString(&message, &field, ResolvedText(field.name(), text));
    }
  });
}

}  // namespace facegate
