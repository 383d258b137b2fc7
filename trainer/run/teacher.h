#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/image/preprocessing.h"

namespace facegate {

// A trained model that a student learns from. It sees the very pictures that the student sees, with
// what was changed in them, in the way that it was trained itself. Not thread-safe.
class Teacher {
 public:
  virtual ~Teacher() = default;

  virtual int embedding_size() const = 0;
  // Raw embeddings of `count` inputs of the student, one after the other.
  virtual StatusOr<std::vector<float>> Embed(std::span<const float> pixels, size_t count) = 0;
};

// Reads a model file. The student's inputs are ArcFace crops; a teacher of the 96 x 112 SphereFace
// crop gets their middle 96 columns, which are just that crop, between grey ones, as its own
// letterbox makes them. kInvalidArgument where the colours or numbers of the two differ otherwise.
StatusOr<std::unique_ptr<Teacher>> OpenTeacher(const std::string& path,
                                               const Preprocessing& student, int threads);

}  // namespace facegate
