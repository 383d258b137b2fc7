#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/image/preprocessing.h"
#include "trainer/photos/augment.h"
#include "trainer/photos/dataset.h"
#include "trainer/photos/sampler.h"

namespace facegate {

struct Batch {
  static constexpr int64_t kUnlabelled = -1;

  size_t step = 0;
  std::vector<float> pixels;  // batch x 3 x height x width, as the network takes them
  // The same without degradations, for a teacher; empty where nothing was degraded.
  std::vector<float> undegraded;
  std::vector<bool> degraded;   // batch
  std::vector<int64_t> labels;  // batch: Dataset::label(), or kUnlabelled
  std::vector<size_t> photos;   // batch: numbers in the dataset
};

struct LoaderOptions {
  SamplerOptions sampler{};
  AugmentOptions augment{};
  // Probability that a picture is blended with another one, 30 % to 70 % of each: a face of nobody,
  // without a label, that a teacher's opinion is asked of (mixup, Zhang et al. 2018).
  double blend = 0.0;
  // Probability that a picture is then degraded (DrawDegradation()). Those of a batch have one kind
  // of flaw, so that strangers with the same flaw meet.
  double degrade = 0.0;
  Preprocessing preprocessing{};
  int threads = 1;      // >= 1
  size_t prefetch = 4;  // batches that may lie ready, >= 1
  size_t first_step = 0;
  // The part of each batch that is made: so many places from `first_place` on, all within the
  // batch. 0 places: all that are left.
  size_t first_place = 0;
  size_t places = 0;
};

// Makes batches ahead on threads of its own, and hands them out in the order of steps. The batch of
// a step depends on the seed and the step alone: not on the threads, nor on where it began. How a
// photo is changed follows from its place in the batch of the step, not from the photo, nor from
// the part of the batch that is made.
//
// A photo that cannot be read, or is not of the size of a crop, is named once to `on_bad_photo` (by
// one thread at a time) and another takes its place. Next() fails when too many in a row are bad.
class Loader {
 public:
  using BadPhoto = std::function<void(const Status&)>;

  // `dataset` must outlive it. kInvalidArgument for options out of their range.
  static StatusOr<std::unique_ptr<Loader>> Start(const Dataset& dataset,
                                                 const LoaderOptions& options,
                                                 BadPhoto on_bad_photo);
  // Stops the threads.
  virtual ~Loader() = default;

  // The batch of the next step; waits for it. Used from one thread.
  virtual StatusOr<std::unique_ptr<Batch>> Next() = 0;
  virtual size_t steps_per_epoch() const = 0;
};

}  // namespace facegate
