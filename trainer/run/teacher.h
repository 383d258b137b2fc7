#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/image/preprocessing.h"

namespace facegate {

// The opinion of a teacher of a batch.
struct Lesson {
  std::vector<float> embeddings;  // raw, one after the other
  // The maps of Chain::ForwardWithMaps(), count x map_shapes()[i] in C order; none where they were
  // not asked for.
  std::vector<std::vector<float>> maps;
};

// A trained model that a student learns from. It sees the very pictures that the student sees, with
// what was changed in them but for degradations, in the way that it was trained itself. Not
// thread-safe.
class Teacher {
 public:
  virtual ~Teacher() = default;

  virtual int embedding_size() const = 0;
  // Model and preprocessing digest: what its lessons follow from.
  virtual std::string digest() const = 0;
  // The text is for the student's model card.
  virtual std::string description() const = 0;
  // Channels, height and width of each map.
  virtual const std::vector<std::vector<int64_t>>& map_shapes() const = 0;
  // `pixels`: `count` inputs of the student, count x 3 x height x width. kInvalidArgument for
  // another number of them, kInternal when the library fails.
  virtual StatusOr<Lesson> Teach(std::span<const float> pixels, size_t count) = 0;
};

// Reads a model file. The student's inputs are ArcFace crops; a teacher of the 96 x 112 SphereFace
// crop gets their middle 96 columns, which are just that crop, between grey ones, as its own
// letterbox makes them. `with_maps`: its lessons have maps. kInvalidArgument where the colours or
// numbers of the two differ otherwise.
StatusOr<std::unique_ptr<Teacher>> OpenTeacher(const std::string& path,
                                               const Preprocessing& student, bool with_maps,
                                               int threads);

}  // namespace facegate
