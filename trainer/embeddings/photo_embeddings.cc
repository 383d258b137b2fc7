#include "trainer/embeddings/photo_embeddings.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <opencv2/core.hpp>
#include <thread>
#include <utility>

#include "face/base/catch.h"
#include "face/embed/torch/torch_embedder.h"
#include "face/weights/model_file.h"
#include "trainer/photos/shown_name.h"

namespace facegate {
namespace {

StatusOr<JudgedCrop> CutOne(const FaceCutter& cutter, const NamedPhotos& photos, size_t i) {
  return CatchToStatus("cutting out a face", [&]() -> StatusOr<JudgedCrop> {
    FACEGATE_ASSIGN_OR_RETURN(const Image photo, photos.Load(i));
    StatusOr<JudgedCrop> face = cutter.CutAndJudge(photos.name(i), photo);
    if (!face.ok()) return Annotate(face.status(), ShownName(photos.name(i)));
    return face;
  });
}

std::vector<AlignedFace> MirrorImages(std::span<const AlignedFace> faces) {
  std::vector<AlignedFace> mirrored(faces.size());
  for (size_t i = 0; i < faces.size(); ++i) cv::flip(faces[i].bgr, mirrored[i].bgr, 1);
  return mirrored;
}

}  // namespace

StatusOr<std::unique_ptr<PhotoEmbedder>> PhotoEmbedder::Create(
    const PhotoEmbeddingOptions& options) {
  FACEGATE_ASSIGN_OR_RETURN(ModelFile model, ReadModelFile(options.model));
  model.card.preprocessing.mirror_average = options.mirror == MirrorRule::kSum;
  FACEGATE_ASSIGN_OR_RETURN(auto cutter,
                            FaceCutter::Create(options.faces, model.card.preprocessing.alignment));
  // The canary is of the card's own mirror rule.
  const EmbedderOptions embedding{
      .threads = options.threads, .max_batch = static_cast<int>(kMostFaces), .run_canary = false};
  if (options.raw) {
    if (options.mirror == MirrorRule::kConcat) {
      return InvalidArgument("vectors of two parts have no length of their own");
    }
    auto raw = MakeTorchRawEmbedder(std::move(model), embedding);
    if (!raw.ok()) return Annotate(raw.status(), options.model);
    RawEmbedder* const own = raw->get();
    return std::unique_ptr<PhotoEmbedder>(
        new PhotoEmbedder(options, std::move(cutter), *std::move(raw), own));
  }
  auto embedder = MakeTorchEmbedder(std::move(model), embedding);
  if (!embedder.ok()) return Annotate(embedder.status(), options.model);
  return std::unique_ptr<PhotoEmbedder>(
      new PhotoEmbedder(options, std::move(cutter), *std::move(embedder), nullptr));
}

PhotoEmbedder::PhotoEmbedder(const PhotoEmbeddingOptions& options,
                             std::unique_ptr<FaceCutter> cutter, std::unique_ptr<Embedder> embedder,
                             RawEmbedder* raw)
    : mirror_(options.mirror),
      threads_(options.threads > 0
                   ? options.threads
                   : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))),
      cutter_(std::move(cutter)),
      embedder_(std::move(embedder)),
      raw_(raw),
      width_(static_cast<size_t>(embedder_->card().embedding_size) *
             (mirror_ == MirrorRule::kConcat ? 2U : 1U)) {}

std::vector<StatusOr<JudgedCrop>> PhotoEmbedder::CutWith(size_t count,
                                                         const CutFunction& cut) const {
  std::vector<StatusOr<JudgedCrop>> faces(count, Internal("no face"));
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) faces[i] = cut(i);
  };
  std::vector<std::jthread> others;
  others.reserve(static_cast<size_t>(threads_));
  for (int i = 1; i < threads_; ++i) others.emplace_back(work);
  work();
  others.clear();  // waits for them
  return faces;
}

std::vector<StatusOr<AlignedFace>> PhotoEmbedder::Cut(const NamedPhotos& photos, size_t begin,
                                                      size_t count) const {
  std::vector<StatusOr<AlignedFace>> faces;
  faces.reserve(count);
  for (StatusOr<JudgedCrop>& judged :
       CutWith(count, [&](size_t i) { return CutOne(*cutter_, photos, begin + i); })) {
    if (judged.ok()) {
      faces.emplace_back(std::move(judged->face));
    } else {
      faces.emplace_back(judged.status());
    }
  }
  return faces;
}

StatusOr<std::vector<float>> PhotoEmbedder::Embed(std::span<const AlignedFace> faces) {
  if (raw_ != nullptr) return raw_->EmbedRaw(faces);
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<Embedding> plain, embedder_->Embed(faces));
  std::vector<Embedding> mirrored;
  if (mirror_ == MirrorRule::kConcat) {
    FACEGATE_ASSIGN_OR_RETURN(mirrored, embedder_->Embed(MirrorImages(faces)));
  }
  std::vector<float> values;
  values.reserve(faces.size() * width_);
  const auto append = [&values](const Embedding& one) {
    values.insert(values.end(), one.values().begin(), one.values().end());
  };
  for (size_t i = 0; i < faces.size(); ++i) {
    append(plain[i]);
    if (!mirrored.empty()) append(mirrored[i]);
  }
  return values;
}

StatusOr<std::vector<float>> EmbedFound(PhotoEmbedder& embedder,
                                        std::span<const StatusOr<JudgedCrop>> faces,
                                        const Resolution& resolution) {
  const size_t width = embedder.width();
  std::vector<float> rows(faces.size() * width, std::numeric_limits<float>::quiet_NaN());
  std::vector<size_t> found;
  std::vector<AlignedFace> seen;
  for (size_t i = 0; i < faces.size(); ++i) {
    if (!faces[i].ok()) continue;
    found.push_back(i);
    FACEGATE_ASSIGN_OR_RETURN(cv::Mat crop, AtLowResolution(faces[i]->face.bgr, resolution));
    seen.push_back({.bgr = std::move(crop)});
  }
  if (found.empty()) return rows;
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<float> values, embedder.Embed(seen));
  for (size_t i = 0; i < found.size(); ++i) {
    std::copy_n(values.begin() + static_cast<ptrdiff_t>(i * width), width,
                rows.begin() + static_cast<ptrdiff_t>(found[i] * width));
  }
  return rows;
}

StatusOr<EmbeddedPhotos> EmbedPhotos(PhotoEmbedder& embedder, const NamedPhotos& photos,
                                     std::span<const Resolution> resolutions, NoFaceRule no_face,
                                     const std::function<void()>& on_photo) {
  std::vector<std::vector<float>> values(resolutions.size());
  for (auto& one : values) one.reserve(photos.size() * embedder.width());
  EmbeddedPhotos embedded;
  for (size_t begin = 0; begin < photos.size(); begin += PhotoEmbedder::kMostFaces) {
    const size_t count = std::min(PhotoEmbedder::kMostFaces, photos.size() - begin);
    const std::vector<StatusOr<JudgedCrop>> faces = embedder.CutWith(
        count, [&](size_t i) { return CutOne(embedder.cutter(), photos, begin + i); });
    for (const StatusOr<JudgedCrop>& face : faces) {
      if (!face.ok() &&
          (no_face == NoFaceRule::kFail || ReasonOf(face.status()) != Reason::kNoFace)) {
        return face.status();
      }
      embedded.qualities.push_back(face.ok() ? face->quality
                                             : std::numeric_limits<double>::quiet_NaN());
    }
    for (size_t i = 0; i < resolutions.size(); ++i) {
      FACEGATE_ASSIGN_OR_RETURN(const std::vector<float> rows,
                                EmbedFound(embedder, faces, resolutions[i]));
      values[i].insert(values[i].end(), rows.begin(), rows.end());
    }
    for (size_t i = 0; i < count; ++i) on_photo();
  }
  std::vector<std::string> names;
  names.reserve(photos.size());
  for (size_t i = 0; i < photos.size(); ++i) names.push_back(photos.name(i));
  embedded.sets.reserve(resolutions.size());
  for (const auto& one : values) {
    FACEGATE_ASSIGN_OR_RETURN(EmbeddingSet set, EmbeddingSet::Make(names, embedder.width(), one, {},
                                                                   MirrorRule::kPlain, no_face));
    embedded.sets.push_back(std::move(set));
  }
  return embedded;
}

}  // namespace facegate
