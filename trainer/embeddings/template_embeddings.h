#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/embeddings/named_photos.h"
#include "trainer/embeddings/photo_embeddings.h"
#include "trainer/photos/template_lists.h"

namespace facegate {

// Cuts the faces of a set of templates out, where its lists say they are, and embeds them. Not
// thread-safe; uses threads of its own.
class TemplateEmbedder {
 public:
  // Some faces, one after the other.
  struct Part {
    std::vector<std::string> faults;  // why a face has no row; empty where it has one
    std::vector<float> rows;          // of those that have one
  };

  // `embedder` and `set` outlive it.
  TemplateEmbedder(PhotoEmbedder& embedder, const TemplateSet& set);

  // What the rows follow from beside the names of the faces, in one line.
  std::string Origin() const;
  // Embeds the faces from `begin` on, PhotoEmbedder::kMostFaces at most. A photo that cannot be
  // used is a fault, which names it.
  StatusOr<Part> Embed(size_t begin);

 private:
  StatusOr<JudgedCrop> Cut(size_t face) const;

  PhotoEmbedder& embedder_;
  const TemplateSet& set_;
  const std::unique_ptr<NamedPhotos> photos_;
};

}  // namespace facegate
