#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "face/base/clock.h"
#include "face/base/embedding.h"
#include "face/base/model_key.h"
#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/detect/detector.h"
#include "face/detect/quality_meter.h"
#include "face/detect/selection.h"
#include "face/embed/embedder.h"
#include "face/image/decode.h"
#include "server/engine/batcher.h"
#include "server/engine/caller.h"
#include "server/engine/decode_budget.h"

namespace facegate {

// A face on its way to the model.
struct PreparedFace {
  // An aligned crop; an embedding, where one was given; or nothing, where the face of a group
  // cannot be aligned (its detector gave no landmarks, or points that coincide).
  std::variant<std::monostate, AlignedFace, Embedding> content;
  // Absent unless the face was found in a picture.
  std::optional<DetectedFace> detected;
  // Absent for an embedding, and for a face that cannot be aligned.
  std::optional<FaceQuality> quality{};
};

struct EmbeddedFace {
  std::optional<Embedding> embedding;  // absent where there was nothing to be embedded
  std::optional<DetectedFace> detected;
  std::optional<FaceQuality> quality;
  std::string detector = "none";  // that gave the landmarks
};

// A picture may show more faces than these; then those with the highest scores are taken.
inline constexpr size_t kMaxFacesOfAPicture = 1000;

// A face that was found, and how fit it is to be compared.
struct MeasuredFace {
  DetectedFace detected;
  std::optional<FaceQuality> quality;  // absent for a face that cannot be aligned
};

struct Detection {
  std::vector<MeasuredFace> faces;
  int image_width = 0;  // of the upright picture, pixels
  int image_height = 0;
};

// Makes embeddings of what a caller sends: limits, decoding, detection, alignment, the measures of
// quality, the batcher. What a quality is enough for is not decided here (server/operations).
// Thread-safe; blocks its caller's thread until the model has answered. Field paths of errors are
// left to the caller, who knows the message.
class FaceEngine {
 public:
  // All must outlive the engine. `detector` may be null: then only crops and embeddings are taken.
  // `meter` is null in tests alone that do not ask for qualities: then none is measured. What is
  // decoded counts against `budget` while it is held.
  FaceEngine(Embedder& embedder, Batcher& batcher, Detector* detector, const QualityMeter* meter,
             const DecodeLimits& limits, DecodeBudget& budget, const Clock& clock);

  // The selected faces of a picture; never empty. With kAll a face that cannot be aligned is
  // returned without content, otherwise it is kNoFace. kInvalidField without a detector.
  StatusOr<std::vector<PreparedFace>> FromImage(std::string_view encoded,
                                                const SelectionRequest& selection,
                                                const Caller& caller) const;
  // kCropSize, with both sizes, unless the picture is of the size of the model's template.
  StatusOr<PreparedFace> FromCrop(std::string_view encoded, const Caller& caller) const;
  // kModelMismatch when `model` is not the server's; kEmbeddingInvalid for values of another
  // length, not finite or all zero.
  StatusOr<PreparedFace> FromEmbedding(std::span<const float> values, const ModelKey& model) const;

  // Hands all crops to the batcher together and waits; in the order given. When one fails, all do.
  StatusOr<std::vector<EmbeddedFace>> Embed(std::vector<PreparedFace> faces,
                                            const Caller& caller) const;

  // Boxes, landmarks and qualities. No face at all is an answer for kAll, kNoFace otherwise.
  StatusOr<Detection> Detect(std::string_view encoded, const SelectionRequest& selection,
                             const Caller& caller) const;

  // kImageTooLarge by the count of bytes alone, before anything is decoded.
  Status CheckImageBytes(std::string_view encoded) const;

  // Tells work that asks it whether `caller` still waits; `caller` must outlive it.
  StopCheck Wanted(const Caller& caller) const;

  const ModelCard& card() const { return embedder_.card(); }
  const ModelKey& model() const { return model_; }
  // "none" without a detector.
  const std::string& detector_name() const { return detector_name_; }

 private:
  // A decoded picture. What it holds counts until it goes.
  struct Decoded {
    DecodeBudget::Share share;
    Image image;
  };
  struct Found {
    Decoded picture;
    std::vector<DetectedFace> faces;
  };
  StatusOr<Decoded> Decode(std::string_view encoded, const Caller& caller) const;
  StatusOr<Found> FindFaces(std::string_view encoded, const Caller& caller) const;
  // The content and quality of a face of a picture; without content where it cannot be aligned and
  // `in_group` is set, kNoFace otherwise.
  StatusOr<PreparedFace> PrepareFace(const Image& image, const DetectedFace& face,
                                     bool in_group) const;
  StatusOr<std::vector<Embedding>> RunModel(std::vector<AlignedFace> crops,
                                            const Caller& caller) const;

  Embedder& embedder_;
  Batcher& batcher_;
  Detector* const detector_;
  const QualityMeter* const meter_;
  const DecodeLimits limits_;
  DecodeBudget& budget_;
  const Clock& clock_;
  const ModelKey model_;
  const std::string detector_name_;
};

}  // namespace facegate
