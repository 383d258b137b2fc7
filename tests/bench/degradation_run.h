#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "face/detect/face_quality.h"
#include "face/embed/embedder.h"
#include "tests/bench/degradation_figures.h"
#include "tests/bench/degraded_photos.h"

namespace facegate {

// The least qualities of faces, 0..1.
struct QualityPolicy {
  double enrol = kDefaultEnrolQuality;
  double probe = kDefaultProbeQuality;
};

struct NamedModel {
  std::string name;
  std::unique_ptr<Embedder> embedder{};
  double min_cosine = 0.0;  // a match reaches it
};
// "bundled", "public" (imported from `data`/weights), or paths of model files.
StatusOr<std::vector<NamedModel>> LoadNamedModels(std::span<const std::string> names,
                                                  const std::filesystem::path& data);

// A row for each photo: what was measured of its face, and its cosines by each model.
void WriteDumpHeader(std::span<const NamedModel> models, std::ostream& out);

// The figures of one detector and some models, cell by cell. Not thread-safe; uses threads of its
// own.
class DegradationRun {
 public:
  // All references outlive the run.
  DegradationRun(const ServerView& view, std::string detector, std::span<const NamedModel> models,
                 const TwoPhotosEach& photos, const QualityPolicy& policy);

  // Looks at the clean photos to enrol. Comes first. `on_photo` is called for each photo, from
  // several threads.
  Status Prepare(const std::function<void()>& on_photo);
  // The clean cell comes before others. Rows of photos go to `dump` unless it is null.
  Status Measure(const Degradation& cell, const std::function<void()>& on_photo,
                 std::ostream* dump);
  // One for each model and cell, by model.
  std::vector<CellFigures> TakeFigures();

 private:
  // Photos of one kind: what is seen of them, and for each model an embedding of each that shows a
  // face.
  struct Batch {
    std::vector<SeenPhoto> seen;
    std::vector<std::vector<std::optional<Embedding>>> embeddings;
  };
  using Source = std::function<StatusOr<Image>(size_t)>;
  StatusOr<Batch> Acquire(const Source& source, const std::function<void()>& on_photo) const;
  CellFigures FiguresOf(size_t model, const Degradation& cell, const Batch& probes) const;
  void Dump(const Degradation& cell, const Batch& probes, std::ostream& out) const;

  const ServerView& view_;
  const std::string detector_;
  const std::span<const NamedModel> models_;
  const TwoPhotosEach& photos_;
  const QualityPolicy policy_;
  Batch enrolled_;
  Batch clean_;
  std::vector<std::vector<CellFigures>> figures_;  // by model
};

// Counts how many of the clean photos of `names` give a face of that quality.
StatusOr<AcquisitionCounts> AcquireClean(const ServerView& view, const std::string& detector,
                                         const std::filesystem::path& data,
                                         std::span<const std::string> names, double quality,
                                         const std::function<void()>& on_photo, std::ostream* dump);

}  // namespace facegate
