#pragma once

#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/command/command.h"
#include "trainer/command/eval_quality.h"
#include "trainer/embeddings/low_resolution.h"
#include "trainer/embeddings/photo_embeddings.h"
#include "trainer/measure/embedding_set.h"
#include "trainer/measure/evaluation.h"
#include "trainer/photos/open_dataset.h"

namespace facegate {

struct EvalOptions {
  // Either a model and a folder that the names of the pairs are relative to, or embeddings that
  // were computed already.
  PhotoEmbeddingOptions embedding{};
  std::string photos{};
  std::optional<std::string> embeddings{};  // float32, see ReadEmbeddingSet()
  std::optional<std::string> order{};       // the names of its photos
  MissingPhotos missing = MissingPhotos::kRefuse;
  bool with_mirrors = false;  // the file has mirror images after the plain ones
  MirrorRule mirror = MirrorRule::kPlain;
  NoFaceRule no_face = NoFaceRule::kFail;

  std::vector<std::string> pairs{};     // see OpenPairSources()
  std::optional<std::string> report{};  // an HTML page to write
  FigureOptions figures{};
  EvalQualityOptions quality{};
  // Figures are told also for photos of so many times lower resolution.
  std::vector<double> low_resolution{};
  std::vector<LowResolutionSide> low_resolution_sides = {LowResolutionSide::kBoth};
  // How they are made smaller; kBicubic, where nothing is said and there are networks, else kArea.
  std::optional<Reduction> reduction{};
  // Files of SuperResolution: figures are told also for photos that these enlarge again.
  std::vector<std::string> super_resolution{};
};

// The figures of one set of pairs.
struct EvalResult {
  std::string name;
  EvalReport report;
  struct LowResolution {
    double factor = 1.0;
    LowResolutionSide side = LowResolutionSide::kBoth;
    bool by_network = false;  // enlarged again by one
    EvalReport report;
  };
  std::vector<LowResolution> low_resolution;
  QualityFigures quality;
  // Tells people how the list was read, a line each.
  std::vector<std::string> remarks;
};

// All that the command prints, a result for each set of pairs. kInvalidField for options that do
// not fit together.
StatusOr<std::vector<EvalResult>> RunEvaluation(const EvalOptions& options);

// `app` outlives the command.
TrainCommand AddEvalCommand(CLI::App& app);

}  // namespace facegate
