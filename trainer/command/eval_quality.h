#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/detect/face_quality.h"
#include "trainer/command/command.h"
#include "trainer/embeddings/named_photos.h"
#include "trainer/embeddings/photo_embeddings.h"
#include "trainer/measure/evaluation.h"
#include "trainer/measure/pair_list.h"
#include "trainer/measure/quality_figures.h"

namespace facegate {

inline constexpr size_t kMostStrangers = 2000;

// Says what eval tells beside the figures of all photos.
struct EvalQualityOptions {
  bool measure = false;                    // by the bundled networks
  std::optional<std::string> qualities{};  // a file for ReadQualities() instead
  QualityLimits limits{.enrol = kDefaultEnrolQuality, .probe = kDefaultProbeQuality};
  std::vector<std::string> degrade{};  // names of degradations; "all" is DegradationCells()
  // The number is at most kMostStrangers: all their pairs are compared, and drawn anew by person.
  size_t degrade_people = 200;
  std::optional<std::string> groups{};  // a file for ReadGroups()

  // True when faces have to be measured while they are cut out. Degraded photos are always judged
  // by the bundled networks: a file knows the photos as they are.
  bool needs_meter() const { return measure || !degrade.empty(); }
  // True when photos have qualities.
  bool has_qualities() const { return needs_meter() || qualities.has_value(); }
};

void AddEvalQualityOptions(CLI::App& command, EvalQualityOptions& options);
// kInvalidField for options that do not fit together; `by_model`: photos are embedded, and not read
// as embeddings.
Status CheckEvalQualityOptions(const EvalQualityOptions& options, bool by_model);

// kInvalidField where strangers are asked for and the photos of the list do not say who is on them:
// told before the work begins.
Status CheckStrangersOf(const EvalQualityOptions& options, const PairList& list);

// An evaluated set. Embedder and photos are null where embeddings were read.
struct EvaluatedSet {
  const PairList& list;
  const EmbeddingSet& embeddings;
  const PhotoQualities& qualities;  // as they were measured; 1 for faces where they were not
  PhotoEmbedder* embedder = nullptr;
  const NamedPhotos* photos = nullptr;
};

// `remarks` gets a line for what people should know about how files were read.
StatusOr<QualityFigures> MakeQualityFigures(const EvalQualityOptions& options,
                                            const FigureOptions& figures, const EvaluatedSet& set,
                                            std::vector<std::string>& remarks);

}  // namespace facegate
