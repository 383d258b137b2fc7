#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "trainer/photos/dataset.h"

namespace facegate {

struct SyntheticDatasetOptions {
  uint64_t seed = 1;
  uint64_t first_identity = 0;  // disjoint ranges give disjoint people
  size_t identities = 100;
  size_t views = 20;        // pictures of each
  uint64_t first_view = 0;  // disjoint ranges give other pictures of the same people
  double difficulty = 1.0;  // 0..1, as in synthetic::PictureOptions
};

// Aligned crops of 112×112 of people who do not exist, drawn when they are asked for. Picture i
// shows identity i / views; the label counts from first_identity. Names are like
// "synthetic/000012/003", after identity and view.
std::unique_ptr<Dataset> MakeSyntheticDataset(const SyntheticDatasetOptions& options);

}  // namespace facegate
