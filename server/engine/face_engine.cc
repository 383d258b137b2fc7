#include "server/engine/face_engine.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "face/base/mutex.h"
#include "face/image/align.h"

namespace facegate {
namespace {

// The embeddings that one caller waits for. The last callback may still be inside Set() when the
// waiter wakes, so both share it.
class PendingEmbeddings {
 public:
  explicit PendingEmbeddings(size_t count) : results_(count, Internal("no answer")), left_(count) {}

  void Set(size_t i, StatusOr<Embedding> result) {
    {
      const MutexLock lock(mutex_);
      results_[i] = std::move(result);
      if (--left_ > 0) return;
    }
    all_done_.NotifyAll();
  }

  StatusOr<std::vector<Embedding>> Wait() {
    const MutexLock lock(mutex_);
    while (left_ > 0) all_done_.Wait(mutex_);
    std::vector<Embedding> embeddings;
    embeddings.reserve(results_.size());
    for (StatusOr<Embedding>& result : results_) {
      FACEGATE_ASSIGN_OR_RETURN(Embedding embedding, std::move(result));
      embeddings.push_back(std::move(embedding));
    }
    return embeddings;
  }

 private:
  Mutex mutex_;
  CondVar all_done_;
  std::vector<StatusOr<Embedding>> results_ FACEGATE_GUARDED_BY(mutex_);
  size_t left_ FACEGATE_GUARDED_BY(mutex_);
};

StatusOr<AlignedFace> Align(const Image& image, const DetectedFace& face,
                            AlignmentTemplate alignment) {
  if (face.landmarks.empty()) {
    return Refuse(Reason::kNoFace,
                  "a face was found, but no landmarks in it, so it cannot be aligned");
  }
  return AlignFace(image, face.landmarks, alignment);
}

}  // namespace

FaceEngine::FaceEngine(Embedder& embedder, Batcher& batcher, Detector* detector,
                       const QualityMeter* meter, const DecodeLimits& limits, DecodeBudget& budget,
                       const Clock& clock)
    : embedder_(embedder),
      batcher_(batcher),
      detector_(detector),
      meter_(meter),
      limits_(limits),
      budget_(budget),
      clock_(clock),
      model_{embedder.card().model_digest, embedder.card().preprocessing_digest},
      detector_name_(detector == nullptr ? "none" : detector->name()) {}

Status FaceEngine::CheckImageBytes(std::string_view encoded) const {
  if (encoded.size() <= limits_.max_bytes) return OkStatus();
  return Refuse(Reason::kImageTooLarge, fmt::format("the image has {} bytes, the limit is {}",
                                                    encoded.size(), limits_.max_bytes));
}

StopCheck FaceEngine::Wanted(const Caller& caller) const {
  return [this, &caller] { return caller.Check(clock_.Now()); };
}

StatusOr<FaceEngine::Decoded> FaceEngine::Decode(std::string_view encoded,
                                                 const Caller& caller) const {
  Decoded decoded;
  const DecodeControl control{.stop = Wanted(caller), .reserve = [&](uint64_t bytes) -> Status {
                                FACEGATE_ASSIGN_OR_RETURN(decoded.share,
                                                          budget_.Take(bytes, caller));
                                return OkStatus();
                              }};
  FACEGATE_RETURN_IF_ERROR(caller.Check(clock_.Now()));
  FACEGATE_ASSIGN_OR_RETURN(decoded.image, DecodeImage(encoded, limits_, control));
  return decoded;
}

StatusOr<FaceEngine::Found> FaceEngine::FindFaces(std::string_view encoded,
                                                  const Caller& caller) const {
  if (detector_ == nullptr) {
    return Refuse(Reason::kInvalidField,
                  "this server has no detector: send an aligned crop or an embedding");
  }
  FACEGATE_RETURN_IF_ERROR(CheckImageBytes(encoded));
  FACEGATE_ASSIGN_OR_RETURN(Decoded picture, Decode(encoded, caller));
  FACEGATE_ASSIGN_OR_RETURN(std::vector<DetectedFace> faces,
                            detector_->Detect(picture.image, Wanted(caller)));
  if (faces.size() > kMaxFacesOfAPicture) faces.resize(kMaxFacesOfAPicture);
  return Found{std::move(picture), std::move(faces)};
}

StatusOr<PreparedFace> FaceEngine::PrepareFace(const Image& image, const DetectedFace& face,
                                               bool in_group) const {
  PreparedFace prepared;
  StatusOr<AlignedFace> aligned = Align(image, face, card().preprocessing.alignment);
  if (aligned.ok()) {
    prepared.content = std::move(aligned).value();
    if (meter_ != nullptr) {
      FACEGATE_ASSIGN_OR_RETURN(prepared.quality, meter_->OfFace(image, face));
    }
  } else if (!in_group || ReasonOf(aligned.status()) != Reason::kNoFace) {
    return aligned.status();
  }
  return prepared;
}

StatusOr<std::vector<PreparedFace>> FaceEngine::FromImage(std::string_view encoded,
                                                          const SelectionRequest& selection,
                                                          const Caller& caller) const {
  FACEGATE_ASSIGN_OR_RETURN(const Found found, FindFaces(encoded, caller));
  FACEGATE_ASSIGN_OR_RETURN(std::vector<DetectedFace> selected,
                            SelectFaces(found.faces, selection, found.picture.image.bgr.size()));
  std::vector<PreparedFace> prepared;
  prepared.reserve(selected.size());
  for (DetectedFace& face : selected) {
    FACEGATE_RETURN_IF_ERROR(caller.Check(clock_.Now()));
    FACEGATE_ASSIGN_OR_RETURN(
        PreparedFace next,
        PrepareFace(found.picture.image, face, selection.selection == FaceSelection::kAll));
    next.detected = std::move(face);
    prepared.push_back(std::move(next));
  }
  return prepared;
}

StatusOr<PreparedFace> FaceEngine::FromCrop(std::string_view encoded, const Caller& caller) const {
  FACEGATE_RETURN_IF_ERROR(CheckImageBytes(encoded));
  FACEGATE_RETURN_IF_ERROR(caller.Check(clock_.Now()));
  // The header first: a picture of the wrong size is not worth its decoding.
  FACEGATE_ASSIGN_OR_RETURN(const ImageHeader header, ParseImageHeader(encoded));
  const bool on_its_side = header.orientation >= 5;
  const int width = on_its_side ? header.height : header.width;
  const int height = on_its_side ? header.width : header.height;
  const auto expected = CropSize(card().preprocessing.alignment);
  if (width != expected.width || height != expected.height) {
    return Refuse(Reason::kCropSize,
                  fmt::format("the aligned crop is {}x{} pixels, the model takes {}x{}", width,
                              height, expected.width, expected.height));
  }
  FACEGATE_ASSIGN_OR_RETURN(Decoded picture, Decode(encoded, caller));
  AlignedFace crop{std::move(picture.image.bgr)};
  PreparedFace prepared;
  if (meter_ != nullptr) {
    FACEGATE_ASSIGN_OR_RETURN(prepared.quality,
                              meter_->OfCrop(crop, card().preprocessing.alignment));
  }
  prepared.content = std::move(crop);
  return prepared;
}

StatusOr<PreparedFace> FaceEngine::FromEmbedding(std::span<const float> values,
                                                 const ModelKey& model) const {
  if (model != model_) {
    const bool same_weights = model.model_digest == model_.model_digest;
    return Refuse(Reason::kModelMismatch,
                  fmt::format("the embedding was made with the {} {}, the server's is {}",
                              same_weights ? "preprocessing" : "model",
                              same_weights ? model.preprocessing_digest : model.model_digest,
                              same_weights ? model_.preprocessing_digest : model_.model_digest));
  }
  if (values.size() != static_cast<size_t>(card().embedding_size)) {
    return Refuse(Reason::kEmbeddingInvalid,
                  fmt::format("the embedding has {} values, the model's have {}", values.size(),
                              card().embedding_size));
  }
  PreparedFace prepared;
  FACEGATE_ASSIGN_OR_RETURN(prepared.content, Embedding::Normalize(values));
  return prepared;
}

StatusOr<std::vector<Embedding>> FaceEngine::RunModel(std::vector<AlignedFace> crops,
                                                      const Caller& caller) const {
  if (crops.empty()) return std::vector<Embedding>();
  const auto pending = std::make_shared<PendingEmbeddings>(crops.size());
  std::vector<Batcher::Job> jobs;
  jobs.reserve(crops.size());
  for (size_t i = 0; i < crops.size(); ++i) {
    jobs.push_back({std::move(crops[i]), [pending, i](StatusOr<Embedding> result) {
                      pending->Set(i, std::move(result));
                    }});
  }
  FACEGATE_RETURN_IF_ERROR(batcher_.Submit(std::move(jobs), caller));
  return pending->Wait();
}

StatusOr<std::vector<EmbeddedFace>> FaceEngine::Embed(std::vector<PreparedFace> faces,
                                                      const Caller& caller) const {
  std::vector<AlignedFace> crops;
  for (PreparedFace& face : faces) {
    if (auto* crop = std::get_if<AlignedFace>(&face.content)) crops.push_back(std::move(*crop));
  }
  FACEGATE_ASSIGN_OR_RETURN(std::vector<Embedding> computed, RunModel(std::move(crops), caller));

  std::vector<EmbeddedFace> embedded;
  embedded.reserve(faces.size());
  auto next = computed.begin();
  for (PreparedFace& face : faces) {
    EmbeddedFace& result = embedded.emplace_back();
    if (std::holds_alternative<AlignedFace>(face.content)) {
      result.embedding = std::move(*next++);
    } else if (auto* given = std::get_if<Embedding>(&face.content)) {
      result.embedding = std::move(*given);
    }
    if (face.detected.has_value()) result.detector = detector_name_;
    result.detected = std::move(face.detected);
    result.quality = std::move(face.quality);
  }
  return embedded;
}

StatusOr<Detection> FaceEngine::Detect(std::string_view encoded, const SelectionRequest& selection,
                                       const Caller& caller) const {
  FACEGATE_ASSIGN_OR_RETURN(Found found, FindFaces(encoded, caller));
  Detection detection{.faces = {},
                      .image_width = found.picture.image.width(),
                      .image_height = found.picture.image.height()};
  const Image& image = found.picture.image;
  if (selection.selection != FaceSelection::kAll) {
    FACEGATE_ASSIGN_OR_RETURN(found.faces, SelectFaces(found.faces, selection, image.bgr.size()));
  }
  detection.faces.reserve(found.faces.size());
  for (DetectedFace& face : found.faces) {
    FACEGATE_RETURN_IF_ERROR(caller.Check(clock_.Now()));
    FACEGATE_ASSIGN_OR_RETURN(PreparedFace measured, PrepareFace(image, face, true));
    detection.faces.push_back(
        {.detected = std::move(face), .quality = std::move(measured.quality)});
  }
  return detection;
}

}  // namespace facegate
