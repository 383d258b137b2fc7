#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "face/base/status.h"
#include "trainer/embeddings/photo_embeddings.h"
#include "trainer/measure/person_resampling.h"
#include "trainer/measure/stranger_table.h"
#include "trainer/photos/degradation.h"

namespace facegate {

// Photos of one person each: the first of each in name order, evenly spread over at most `most`
// people; places in the set. People are told apart as NumberPeople() does.
std::vector<size_t> OnePhotoEach(const EmbeddingSet& set, size_t most);

// One photo degraded, and its face cut out the way the embedder's cutter does it; the landmarks
// that covers are drawn by come from the photo as it is. In crops what is shrunk is enlarged again,
// and what is turned keeps its shape.
StatusOr<JudgedCrop> CutDegraded(const FaceCutter& cutter, const std::string& name,
                                 const Image& photo, const Degradation& degradation,
                                 RandomStream& random);

struct DegradedStrangersOptions {
  std::vector<Degradation> cells{};
  QualityLimits limits{};
  double threshold = 0.0;
  uint64_t seed = 1;
};

// A row for each degradation: all pairs of `photos` (of one person each), degraded alike.
// `on_photo` is called after each photo of each degradation. A photo without a face as it is has
// none in any row.
StatusOr<std::vector<StrangerRow>> MeasureStrangers(PhotoEmbedder& embedder,
                                                    const NamedPhotos& photos,
                                                    std::span<const size_t> chosen,
                                                    const DegradedStrangersOptions& options,
                                                    const PersonResampling& resampling,
                                                    const std::function<void()>& on_photo);

}  // namespace facegate
