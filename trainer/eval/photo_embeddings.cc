#include "trainer/eval/photo_embeddings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <sstream>
#include <utility>

#include "face/base/file.h"
#include "face/detect/cascade.h"
#include "face/detect/selection.h"
#include "face/detect/yunet.h"
#include "face/image/decode.h"
#include "face/model/model_file.h"
#include "face/model/torch_embedder.h"
#include "trainer/data/text_lines.h"

namespace facegate {
namespace {

constexpr DecodeLimits kLimits{.max_bytes = 256ULL << 20, .max_pixels = 200'000'000};
constexpr size_t kPoints = 5;
constexpr size_t kBatch = 32;

StatusOr<std::unique_ptr<Detector>> CreateDetector(const PhotoEmbeddingOptions& options) {
  if (!options.yunet.has_value()) return CreateCascadeDetector({});
  return CreateYuNetDetector({.model_path = *options.yunet});
}

StatusOr<std::unique_ptr<FaceCutter>> CreateCutter(const PhotoEmbeddingOptions& options,
                                                   AlignmentTemplate alignment) {
  if (options.landmarks.has_value()) {
    FACEGATE_ASSIGN_OR_RETURN(LandmarkTable landmarks, ReadLandmarks(*options.landmarks));
    return std::make_unique<FaceCutter>(std::move(landmarks), alignment);
  }
  FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<Detector> detector, CreateDetector(options));
  return std::make_unique<FaceCutter>(std::move(detector), alignment);
}

StatusOr<AlignedFace> CutPhoto(const FaceCutter& cutter, const std::string& folder,
                               const std::string& name) {
  const std::string path = (std::filesystem::path(folder) / name).string();
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kLimits.max_bytes));
  const StatusOr<Image> photo = DecodeImage(bytes, kLimits);
  if (!photo.ok()) return Annotate(photo.status(), path);
  StatusOr<AlignedFace> face = cutter.Cut(name, *photo);
  if (!face.ok()) return Annotate(face.status(), path);
  return face;
}

}  // namespace

StatusOr<LandmarkTable> ReadLandmarks(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<std::string> lines, ReadLines(path));
  LandmarkTable table;
  for (size_t i = 0; i < lines.size(); ++i) {
    std::istringstream fields(lines[i]);
    std::string name;
    fields >> name;
    Landmarks points(kPoints);
    for (cv::Point2f& point : points) fields >> point.x >> point.y;
    const bool finite = std::all_of(points.begin(), points.end(), [](const cv::Point2f& point) {
      return std::isfinite(point.x) && std::isfinite(point.y);
    });
    if (!fields || !finite) {
      return InvalidArgument(
          fmt::format("{}, line {}: expected a name and ten numbers", path, i + 1));
    }
    table.insert_or_assign(std::move(name), std::move(points));
  }
  return table;
}

FaceCutter::FaceCutter(LandmarkTable landmarks, AlignmentTemplate alignment)
    : landmarks_(std::move(landmarks)), alignment_(alignment) {}

FaceCutter::FaceCutter(std::unique_ptr<Detector> detector, AlignmentTemplate alignment)
    : detector_(std::move(detector)), alignment_(alignment) {}

StatusOr<AlignedFace> FaceCutter::Cut(const std::string& name, const Image& photo) const {
  if (detector_ == nullptr) {
    const auto found = landmarks_.find(name);
    if (found == landmarks_.end()) return NotFound("there are no landmarks for it");
    return AlignFace(photo, found->second, alignment_);
  }
  if (photo.bgr.size() == CropSize(alignment_)) return AlignedFace{.bgr = photo.bgr};
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<DetectedFace> faces, detector_->Detect(photo));
  FACEGATE_ASSIGN_OR_RETURN(
      const std::vector<DetectedFace> chosen,
      SelectFaces(faces, {.selection = FaceSelection::kCentral, .box = {}}, photo.bgr.size()));
  return AlignFace(photo, chosen.front().landmarks, alignment_);
}

StatusOr<EmbeddingSet> EmbedPhotos(const PhotoEmbeddingOptions& options,
                                   const std::vector<std::string>& names,
                                   const std::function<void()>& on_photo) {
  FACEGATE_ASSIGN_OR_RETURN(ModelFile model, ReadModelFile(options.model));
  model.card.preprocessing.mirror_average = options.mirror;
  const AlignmentTemplate alignment = model.card.preprocessing.alignment;
  const auto dimension = static_cast<size_t>(model.card.embedding_size);
  FACEGATE_ASSIGN_OR_RETURN(const std::unique_ptr<FaceCutter> cutter,
                            CreateCutter(options, alignment));
  // The canary is of the card's own mirror rule.
  const auto embedder = MakeTorchEmbedder(
      std::move(model), {.max_batch = static_cast<int>(kBatch), .run_canary = false});
  if (!embedder.ok()) return Annotate(embedder.status(), options.model);
  std::vector<float> values;
  values.reserve(names.size() * dimension);
  std::vector<AlignedFace> faces;
  const auto flush = [&]() -> Status {
    if (faces.empty()) return OkStatus();
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<Embedding> embeddings, (*embedder)->Embed(faces));
    for (const Embedding& one : embeddings) {
      values.insert(values.end(), one.values().begin(), one.values().end());
    }
    faces.clear();
    return OkStatus();
  };
  for (const std::string& name : names) {
    FACEGATE_ASSIGN_OR_RETURN(AlignedFace face, CutPhoto(*cutter, options.photos, name));
    faces.push_back(std::move(face));
    if (faces.size() == kBatch) FACEGATE_RETURN_IF_ERROR(flush());
    on_photo();
  }
  FACEGATE_RETURN_IF_ERROR(flush());
  return EmbeddingSet::Make(names, dimension, values, {}, MirrorRule::kPlain);
}

}  // namespace facegate
