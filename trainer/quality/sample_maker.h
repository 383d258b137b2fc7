#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/embed/embedder.h"
#include "trainer/photos/dataset.h"
#include "trainer/quality/quality_samples.h"

namespace facegate {

// Aligned crops and who is on each.
struct QualityCrops {
  std::unique_ptr<Dataset> dataset;
  std::vector<std::string> people;  // by label
};

struct SampleMakerOptions {
  uint64_t seed = 1;
  size_t crops = 6000;  // at most so many of each set, chosen at random; > 0
  size_t views = 3;     // of each crop; > 0
};

// Draws views of the crops and asks the teachers (at least one) how alike each view and its clean
// crop are. What is in them follows from the seed. Fails with the first crop that cannot be read or
// is not of ArcFace's size, which it names. `on_crop` is called after each.
StatusOr<QualitySamples> MakeQualitySamples(const std::vector<QualityCrops>& sets,
                                            const std::vector<Embedder*>& teachers,
                                            const SampleMakerOptions& options,
                                            const std::function<void()>& on_crop);
// Returns how many crops that takes.
size_t CropsTaken(const std::vector<QualityCrops>& sets, const SampleMakerOptions& options);

}  // namespace facegate
