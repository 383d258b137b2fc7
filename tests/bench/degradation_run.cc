#include "tests/bench/degradation_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <limits>
#include <thread>
#include <utility>

#include "face/embed/torch/torch_embedder.h"
#include "tests/support/imported_model.h"
#include "tests/support/temp_dir.h"
#include "trainer/measure/photo_quality.h"

namespace facegate {
namespace {

constexpr int kThreads = 2;
constexpr size_t kMostFaces = 32;  // of one call of the embedder
// deploy/fetch-models.sh gives the public weights this threshold: at most one in two thousand pairs
// of strangers reaches it.
constexpr double kPublicMinCosine = 0.457;

Acquisition AcquisitionOfPhoto(const SeenPhoto& photo, double quality) {
  constexpr double kNoQuality = std::numeric_limits<double>::quiet_NaN();
  return AcquisitionOf(photo.face ? photo.quality.score : kNoQuality, quality);
}

double CosineOf(const std::optional<Embedding>& a, const std::optional<Embedding>& b) {
  return a && b ? static_cast<double>(CosineScore(a->values(), b->values())) : -1.0;
}

// Runs `task(i)` for each i below `count`; the first error is the answer.
Status ForEachPhoto(size_t count, const std::function<Status(size_t)>& task) {
  std::atomic<size_t> next = 0;
  std::vector<Status> results(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        Status& result = results[static_cast<size_t>(thread)];
        for (size_t i = next++; i < count && result.ok(); i = next++) result = task(i);
      });
    }
  }
  for (const Status& result : results) FACEGATE_RETURN_IF_ERROR(result);
  return OkStatus();
}

void WriteMeasurements(const std::string& detector, const std::string& cell,
                       const std::string& photo, const SeenPhoto& seen, std::ostream& out) {
  out << fmt::format("{},{},{},{},{},{:.4f},{:.4f}", cell, photo, detector, seen.face ? 1 : 0,
                     seen.detected.quarter_turns, seen.detected.score, seen.quality.score);
  const auto& measured = seen.quality.components;
  for (const QualityComponent component : AllQualityComponents()) {
    const auto found =
        std::find_if(measured.begin(), measured.end(),
                     [&](const ComponentQuality& one) { return one.component == component; });
    out << (found == measured.end() ? std::string(",,")
                                    : fmt::format(",{:.5g},{:.4f}", found->value, found->quality));
  }
}

StatusOr<std::unique_ptr<Embedder>> LoadEmbedder(const std::string& path) {
  return LoadTorchEmbedder(path, {.threads = kThreads, .max_batch = static_cast<int>(kMostFaces)});
}

// Embeds those of the photos with a face, in runs of kMostFaces.
StatusOr<std::vector<std::optional<Embedding>>> EmbedSeen(std::span<const SeenPhoto> seen,
                                                          size_t model, Embedder& embedder) {
  std::vector<size_t> with_face;
  for (size_t i = 0; i < seen.size(); ++i) {
    if (seen[i].face) with_face.push_back(i);
  }
  std::vector<std::optional<Embedding>> embeddings(seen.size());
  for (size_t begin = 0; begin < with_face.size(); begin += kMostFaces) {
    const size_t end = std::min(begin + kMostFaces, with_face.size());
    std::vector<AlignedFace> crops;
    for (size_t i = begin; i < end; ++i) crops.push_back(seen[with_face[i]].crops[model]);
    FACEGATE_ASSIGN_OR_RETURN(std::vector<Embedding> made, embedder.Embed(crops));
    for (size_t i = begin; i < end; ++i) embeddings[with_face[i]] = std::move(made[i - begin]);
  }
  return embeddings;
}

}  // namespace

StatusOr<std::vector<NamedModel>> LoadNamedModels(std::span<const std::string> names,
                                                  const std::filesystem::path& data) {
  std::vector<NamedModel> models;
  for (const std::string& name : names) {
    NamedModel model{.name = name};
    if (name == "public") {
      const TempDir folder;
      const std::string path = folder.File("public.safetensors");
      FACEGATE_RETURN_IF_ERROR(ImportTestModel(data, path, false));
      FACEGATE_ASSIGN_OR_RETURN(model.embedder, LoadEmbedder(path));
      model.min_cosine = kPublicMinCosine;
    } else {
      const std::string path =
          name == "bundled" ? FACEGATE_SOURCE_DIR "/deploy/models/default.safetensors" : name;
      FACEGATE_ASSIGN_OR_RETURN(model.embedder, LoadEmbedder(path));
      const std::optional<float> least = model.embedder->card().default_min_cosine;
      if (!least) return InvalidArgument(path + " has no default_min_cosine in its card");
      model.min_cosine = static_cast<double>(*least);
    }
    models.push_back(std::move(model));
  }
  return models;
}

void WriteDumpHeader(std::span<const NamedModel> models, std::ostream& out) {
  out << "degradation,photo,detector,face,quarter_turns,detection_score,quality";
  for (const QualityComponent component : AllQualityComponents()) {
    out << fmt::format(",{0}_value,{0}_quality", QualityName(component));
  }
  // The scores are: with another clean photo of the person; with the same photo, clean; the highest
  // with a stranger of the same degradation; and how many of the strangers match.
  for (const NamedModel& model : models) {
    out << fmt::format(",{0}_genuine,{0}_self,{0}_stranger_max,{0}_stranger_matches", model.name);
  }
  out << "\n";
}

DegradationRun::DegradationRun(const ServerView& view, std::string detector,
                               std::span<const NamedModel> models, const TwoPhotosEach& photos,
                               const QualityPolicy& policy)
    : view_(view),
      detector_(std::move(detector)),
      models_(models),
      photos_(photos),
      policy_(policy),
      figures_(models.size()) {}

StatusOr<DegradationRun::Batch> DegradationRun::Acquire(
    const Source& source, const std::function<void()>& on_photo) const {
  std::vector<AlignmentTemplate> templates;
  for (const NamedModel& model : models_) {
    templates.push_back(model.embedder->card().preprocessing.alignment);
  }
  Batch batch;
  batch.seen.resize(photos_.probes.size());
  FACEGATE_RETURN_IF_ERROR(ForEachPhoto(batch.seen.size(), [&](size_t i) -> Status {
    FACEGATE_ASSIGN_OR_RETURN(const Image image, source(i));
    FACEGATE_ASSIGN_OR_RETURN(batch.seen[i], view_.See(image, templates));
    on_photo();
    return OkStatus();
  }));
  for (size_t model = 0; model < models_.size(); ++model) {
    FACEGATE_ASSIGN_OR_RETURN(auto embeddings,
                              EmbedSeen(batch.seen, model, *models_[model].embedder));
    batch.embeddings.push_back(std::move(embeddings));
  }
  return batch;
}

Status DegradationRun::Prepare(const std::function<void()>& on_photo) {
  const auto source = [&](size_t i) -> StatusOr<Image> { return photos_.enrolled[i].image; };
  FACEGATE_ASSIGN_OR_RETURN(enrolled_, Acquire(source, on_photo));
  return OkStatus();
}

Status DegradationRun::Measure(const Degradation& cell, const std::function<void()>& on_photo,
                               std::ostream* dump) {
  const auto source = [&](size_t i) { return DegradePhoto(photos_.probes[i], cell, i); };
  FACEGATE_ASSIGN_OR_RETURN(const Batch probes, Acquire(source, on_photo));
  if (cell == Degradation{}) clean_ = probes;
  for (size_t model = 0; model < models_.size(); ++model) {
    figures_[model].push_back(FiguresOf(model, cell, probes));
  }
  if (dump != nullptr) Dump(cell, probes, *dump);
  return OkStatus();
}

CellFigures DegradationRun::FiguresOf(size_t model, const Degradation& cell,
                                      const Batch& probes) const {
  CellFigures figures{.model = models_[model].name,
                      .detector = detector_,
                      .cell = cell,
                      .threshold = models_[model].min_cosine};
  const auto& degraded = probes.embeddings[model];
  const auto& enrolled = enrolled_.embeddings[model];
  for (size_t i = 0; i < probes.seen.size(); ++i) {
    const Acquisition probe = AcquisitionOfPhoto(probes.seen[i], policy_.probe);
    figures.degraded.Add(probe);
    figures.enrolled.Add(AcquisitionOfPhoto(enrolled_.seen[i], policy_.enrol));
    for (size_t j = 0; j < probes.seen.size(); ++j) {
      const Acquisition clean = AcquisitionOfPhoto(enrolled_.seen[j], policy_.probe);
      const double cosine = CosineOf(degraded[i], enrolled[j]);
      (i == j ? figures.genuine : figures.against_clean)
          .Add(clean, probe, cosine, figures.threshold);
      if (j <= i) continue;
      figures.strangers.Add(probe, AcquisitionOfPhoto(probes.seen[j], policy_.probe),
                            CosineOf(degraded[i], degraded[j]), figures.threshold);
    }
  }
  return figures;
}

void DegradationRun::Dump(const Degradation& cell, const Batch& probes, std::ostream& out) const {
  const std::string name = DegradationName(cell);
  for (size_t i = 0; i < probes.seen.size(); ++i) {
    WriteMeasurements(detector_, name, photos_.probes[i].name, probes.seen[i], out);
    for (size_t model = 0; model < models_.size(); ++model) {
      const auto& embeddings = probes.embeddings[model];
      double highest = -1.0;
      size_t matches = 0;
      for (size_t j = 0; j < embeddings.size(); ++j) {
        if (j == i) continue;
        const double cosine = CosineOf(embeddings[i], embeddings[j]);
        highest = std::max(highest, cosine);
        matches += cosine >= models_[model].min_cosine ? 1 : 0;
      }
      out << fmt::format(",{:.4f},{:.4f},{:.4f},{}",
                         CosineOf(embeddings[i], enrolled_.embeddings[model][i]),
                         CosineOf(embeddings[i], clean_.embeddings[model][i]), highest, matches);
    }
    out << "\n";
  }
}

std::vector<CellFigures> DegradationRun::TakeFigures() {
  std::vector<CellFigures> all;
  for (std::vector<CellFigures>& of_model : figures_) {
    std::move(of_model.begin(), of_model.end(), std::back_inserter(all));
    of_model.clear();
  }
  return all;
}

StatusOr<AcquisitionCounts> AcquireClean(const ServerView& view, const std::string& detector,
                                         const std::filesystem::path& data,
                                         std::span<const std::string> names, double quality,
                                         const std::function<void()>& on_photo,
                                         std::ostream* dump) {
  constexpr AlignmentTemplate kTemplates[] = {AlignmentTemplate::kArcFace112};
  std::vector<SeenPhoto> seen(names.size());
  FACEGATE_RETURN_IF_ERROR(ForEachPhoto(names.size(), [&](size_t i) -> Status {
    FACEGATE_ASSIGN_OR_RETURN(const Image image, ReadPhoto(data, names[i]));
    FACEGATE_ASSIGN_OR_RETURN(seen[i], view.See(image, kTemplates));
    seen[i].crops.clear();
    on_photo();
    return OkStatus();
  }));
  AcquisitionCounts counts;
  for (size_t i = 0; i < names.size(); ++i) {
    counts.Add(AcquisitionOfPhoto(seen[i], quality));
    if (dump == nullptr) continue;
    WriteMeasurements(detector, DegradationName({}), names[i], seen[i], *dump);
    *dump << "\n";
  }
  return counts;
}

}  // namespace facegate
