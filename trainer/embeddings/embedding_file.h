#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/measure/embedding_set.h"

namespace facegate {

// Reads float32 little-endian embeddings, as many as `order` has lines (a photo's name each), first
// all plain, then, unless `rule` is kPlain, all mirrored; what the file has beyond the plain ones
// is ignored under kPlain. `sets` says how often the photos are in it (1, or 2 with mirror images).
// A file that begins as a .npy is read as one: a matrix of a row each, or an array of two matrices;
// of any other the dimension follows from `order` and the file's size.
StatusOr<EmbeddingSet> ReadEmbeddingSet(const std::string& values_path,
                                        const std::string& order_path, MirrorRule rule, int sets,
                                        NoFaceRule no_face = NoFaceRule::kFail);

// Embeddings as a file has them, of any length.
struct EmbeddingRows {
  std::vector<std::string> names;
  size_t dimension = 0;
  std::vector<float> values;

  std::span<const float> row(size_t i) const {
    return std::span(values).subspan(i * dimension, dimension);
  }
};
// The same file, with a row for each line of `order`.
StatusOr<EmbeddingRows> ReadEmbeddingRows(const std::string& values_path,
                                          const std::string& order_path);

}  // namespace facegate
