#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "face/base/status.h"
#include "trainer/measure/embedding_set.h"
#include "trainer/measure/identification.h"
#include "trainer/measure/pair_list.h"
#include "trainer/measure/verification.h"

// All figures of one set of embeddings.
namespace facegate {

struct FigureOptions {
  std::vector<double> fars = {1e-2, 1e-3};
  std::vector<double> fpirs = {0.01, 0.05};
  size_t cmc = 0;   // ranks 1 to this are listed
  int threads = 0;  // that compare for 1:N; 0: as many as there are cores
};

// Accuracies are cross-validated: there is no figure of a threshold that was chosen on the pairs
// that it judges.
struct EvalReport {
  size_t photos = 0;
  size_t without_face = 0;  // of them; they match nobody
  size_t genuine = 0;
  size_t impostor = 0;
  FoldAccuracy exact;
  FoldAccuracy grid_distance;
  FoldAccuracy grid_squared;
  std::vector<AcceptanceAtFar> tar;
  std::vector<ValidationRate> validation{};  // at those of FigureOptions::fars that are above 0
  Share eer;
  Share auc;
  double d_prime = 0.0;

  // Absent where nobody has two photos.
  struct Identification {
    size_t people = 0;
    size_t probes = 0;
    size_t strangers = 0;
    Share rank_1;
    Share rank_5;
    Share rank_10;
    std::vector<Share> cmc;             // ranks 1 to FigureOptions::cmc
    std::vector<OpenSetRate> open_set;  // empty without strangers
  };
  std::optional<Identification> identification;
};

// The scores of `list`: the first photo of each pair is of `first`, the second of `second`.
// kNotFound names a photo without an embedding: no pair is left out.
StatusOr<std::vector<ScoredPair>> ScorePairs(const PairList& list, const EmbeddingSet& first,
                                             const EmbeddingSet& second);

// The figures of `list`, and 1:N by the names of the photos: those of `first` are enrolled, those
// of `second` looked for. The two have the same photos, and may be one set.
StatusOr<EvalReport> EvaluateSets(const FigureOptions& options, const PairList& list,
                                  const EmbeddingSet& first, const EmbeddingSet& second);

}  // namespace facegate
