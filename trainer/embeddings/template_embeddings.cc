#include "trainer/embeddings/template_embeddings.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "face/base/catch.h"
#include "face/base/sha256.h"
#include "face/image/align.h"

namespace facegate {
namespace {

std::unique_ptr<NamedPhotos> PhotosOf(const TemplateSet& set) {
  const std::filesystem::path folder = set.photos;
  std::vector<NamedPhoto> photos;
  photos.reserve(set.faces.size());
  for (const TemplateFace& face : set.faces) {
    photos.push_back({.name = face.name, .path = (folder / face.name).string()});
  }
  return MakeFilePhotos(std::move(photos));
}

}  // namespace

TemplateEmbedder::TemplateEmbedder(PhotoEmbedder& embedder, const TemplateSet& set)
    : embedder_(embedder), set_(set), photos_(PhotosOf(set)) {}

std::string TemplateEmbedder::Origin() const {
  std::string places;
  for (const TemplateFace& face : set_.faces) {
    for (const cv::Point2f& point : face.landmarks)
      fmt::format_to(std::back_inserter(places), "{} {} ", point.x, point.y);
  }
  const ModelCard& card = embedder_.card();
  return fmt::format("model {}, preprocessing {}, mirror {}, {} vectors, crops by landmarks {}",
                     card.model_digest, card.preprocessing_digest,
                     card.preprocessing.mirror_average ? "sum" : "none",
                     embedder_.is_raw() ? "raw" : "unit", Sha256Hex(places));
}

StatusOr<JudgedCrop> TemplateEmbedder::Cut(size_t face) const {
  return CatchToStatus("cutting out a face", [&]() -> StatusOr<JudgedCrop> {
    FACEGATE_ASSIGN_OR_RETURN(const Image photo, photos_->Load(face));
    const TemplateFace& known = set_.faces[face];
    auto crop = AlignFace(photo, known.landmarks, embedder_.cutter().alignment());
    if (!crop.ok()) return Annotate(crop.status(), known.name);
    return JudgedCrop{.face = *std::move(crop)};
  });
}

StatusOr<TemplateEmbedder::Part> TemplateEmbedder::Embed(size_t begin) {
  const size_t count = std::min(PhotoEmbedder::kMostFaces, set_.faces.size() - begin);
  Part part{.faults = std::vector<std::string>(count), .rows = {}};
  std::vector<AlignedFace> crops;
  std::vector<StatusOr<JudgedCrop>> cut =
      embedder_.CutWith(count, [&](size_t i) { return Cut(begin + i); });
  for (size_t i = 0; i < count; ++i) {
    if (cut[i].ok()) {
      crops.push_back(std::move(cut[i]->face));
    } else {
      part.faults[i] = MessageOf(cut[i].status());
    }
  }
  if (!crops.empty()) {
    FACEGATE_ASSIGN_OR_RETURN(part.rows, embedder_.Embed(crops));
  }
  return part;
}

}  // namespace facegate
