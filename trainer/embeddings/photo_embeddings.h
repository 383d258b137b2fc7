#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/embed/embedder.h"
#include "face/embed/torch/raw_embedder.h"
#include "face/image/image.h"
#include "trainer/embeddings/face_cutter.h"
#include "trainer/embeddings/low_resolution.h"
#include "trainer/embeddings/named_photos.h"
#include "trainer/measure/embedding_set.h"
#include "trainer/measure/photo_quality.h"

namespace facegate {

struct PhotoEmbeddingOptions {
  std::string model{};
  FaceCutOptions faces{};
  MirrorRule mirror = MirrorRule::kPlain;
  int threads = 0;  // 0: as many as the machine has cores
  // Vectors keep the length that the network gives them; computed on the CPU. Not with kConcat.
  bool raw = false;
};

// Cuts the faces of photos out and embeds them. Not thread-safe; uses threads of its own.
class PhotoEmbedder {
 public:
  static constexpr size_t kMostFaces = 32;  // of one Embed()

  static StatusOr<std::unique_ptr<PhotoEmbedder>> Create(const PhotoEmbeddingOptions& options);

  // Values of a photo: the model's embedding size, twice that under MirrorRule::kConcat.
  size_t width() const { return width_; }
  const ModelCard& card() const { return embedder_->card(); }
  const FaceCutter& cutter() const { return *cutter_; }
  bool is_raw() const { return raw_ != nullptr; }

  // The faces of `count` photos from `begin` on, in order; an error names the photo.
  std::vector<StatusOr<AlignedFace>> Cut(const NamedPhotos& photos, size_t begin,
                                         size_t count) const;
  // `count` faces by `cut`, which is called with 0 to count - 1 from several threads.
  using CutFunction = std::function<StatusOr<JudgedCrop>(size_t)>;
  std::vector<StatusOr<JudgedCrop>> CutWith(size_t count, const CutFunction& cut) const;
  // width() values for each of at most kMostFaces faces, in order. Of unit length; under kSum the
  // sum of the raw embeddings of crop and mirror image, normalised; under kConcat each half is of
  // unit length. With options.raw nothing is normalised.
  StatusOr<std::vector<float>> Embed(std::span<const AlignedFace> faces);

 private:
  PhotoEmbedder(const PhotoEmbeddingOptions& options, std::unique_ptr<FaceCutter> cutter,
                std::unique_ptr<Embedder> embedder, RawEmbedder* raw);

  const MirrorRule mirror_;
  const int threads_;
  const std::unique_ptr<FaceCutter> cutter_;
  const std::unique_ptr<Embedder> embedder_;
  RawEmbedder* const raw_;  // the same; null where vectors get unit length
  const size_t width_;
};

// Embeddings of photos, and how fit their faces are to be compared.
struct EmbeddedPhotos {
  std::vector<EmbeddingSet> sets;
  PhotoQualities qualities;
};

// Embeds all `photos` once for each resolution of AtLowResolution(): a set for each.
// `on_photo` is called after each photo. Fails with the first photo that cannot be read, or, under
// kFail, has no usable face; names it.
StatusOr<EmbeddedPhotos> EmbedPhotos(PhotoEmbedder& embedder, const NamedPhotos& photos,
                                     std::span<const Resolution> resolutions, NoFaceRule no_face,
                                     const std::function<void()>& on_photo);

// A row of embedder.width() values for each of at most kMostFaces faces at that resolution; NaN for
// those that are not there.
StatusOr<std::vector<float>> EmbedFound(PhotoEmbedder& embedder,
                                        std::span<const StatusOr<JudgedCrop>> faces,
                                        const Resolution& resolution = {});

}  // namespace facegate
