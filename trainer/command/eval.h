#pragma once

#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/command/command.h"
#include "trainer/eval/embedding_set.h"
#include "trainer/eval/identification.h"
#include "trainer/eval/photo_embeddings.h"
#include "trainer/eval/verification.h"

namespace facegate {

struct EvalOptions {
  // Either a model and photos, or embeddings that were computed already.
  PhotoEmbeddingOptions photos{};
  std::optional<std::string> embeddings{};  // float32, see ReadEmbeddingSet()
  std::optional<std::string> order{};       // the names of its photos
  bool with_mirrors = false;                // the file has mirror images after the plain ones
  MirrorRule mirror = MirrorRule::kPlain;

  std::string pairs{};  // see ReadPairList()
  std::vector<double> fars = {1e-2, 1e-3};
  std::vector<double> fpirs = {0.01, 0.05};
};

struct EvalReport {
  size_t photos = 0;
  size_t genuine = 0;
  size_t impostor = 0;
  FoldAccuracy exact;
  FoldAccuracy grid_distance;
  FoldAccuracy grid_squared;
  std::vector<AcceptanceAtFar> tar;
  double eer = 0.0;
  double auc = 0.0;
  double d_prime = 0.0;

  // Absent where nobody has two photos.
  struct Identification {
    size_t people = 0;
    size_t probes = 0;
    size_t strangers = 0;
    Share rank_1;
    Share rank_5;
    Share rank_10;
    std::vector<OpenSetRate> open_set;  // empty without strangers
  };
  std::optional<Identification> identification;
};

// The figures of `set` by the pairs of `options`, and 1:N by the names of its photos.
StatusOr<EvalReport> Evaluate(const EvalOptions& options, const EmbeddingSet& set);

// `app` outlives the command.
TrainCommand AddEvalCommand(CLI::App& app);

}  // namespace facegate
