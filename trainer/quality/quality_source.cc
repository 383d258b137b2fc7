#include "trainer/quality/quality_source.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "face/embed/torch/torch_embedder.h"
#include "trainer/photos/files_digest.h"
#include "trainer/photos/open_dataset.h"
#include "trainer/photos/photo_source.h"
#include "trainer/photos/synthetic_dataset.h"
#include "trainer/quality/sample_maker.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr size_t kDrawnViews = 3;

SampleMakerOptions MakerOptions(const QualityRunOptions& options) {
  return {.seed = options.network.training.seed, .crops = options.crops, .views = options.views};
}

using Teachers = std::vector<std::unique_ptr<Embedder>>;

StatusOr<Teachers> LoadTeachers(const QualityRunOptions& options, const Session& session) {
  Teachers teachers;
  for (const std::string& model : options.models) {
    auto teacher =
        LoadTorchEmbedder(model, {.threads = session.threads(), .max_batch = 8, .device = "cpu"});
    if (!teacher.ok()) return Annotate(teacher.status(), model);
    teachers.push_back(*std::move(teacher));
  }
  return teachers;
}

struct OpenedCrops {
  std::vector<QualityCrops> sets;
  std::vector<std::string> files;  // that the crops lie in, as far as messages name them
};

StatusOr<OpenedCrops> OpenCrops(const QualityRunOptions& options) {
  OpenedCrops opened;
  for (const std::string& path : options.data) {
    FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<PhotoSource> source, OpenPhotoSource(path, ""));
    std::error_code failure;
    opened.files.push_back(fs::absolute(path, failure).string());
    for (size_t i = 0; i < source->size(); ++i) opened.files.push_back(source->name(i));
    QualityCrops set{.dataset = nullptr, .people = source->classes()};
    set.dataset = MakeDecodedDataset(std::move(source));
    opened.sets.push_back(std::move(set));
  }
  if (options.drawn > 0) {
    QualityCrops set{.dataset = MakeSyntheticDataset({.seed = options.network.training.seed,
                                                      .identities = options.drawn,
                                                      .views = kDrawnViews}),
                     .people = {}};
    for (size_t i = 0; i < options.drawn; ++i) {
      set.people.push_back(fmt::format("drawn {}", i));
    }
    opened.sets.push_back(std::move(set));
  }
  return opened;
}

// Says what the samples follow from; the number changes with how views are drawn.
std::string SourceOf(const QualityRunOptions& options, const std::vector<std::string>& files,
                     const Teachers& teachers) {
  std::string source = fmt::format(
      "3 seed {} crops {} views {} drawn {} files {}", options.network.training.seed, options.crops,
      options.views, options.drawn, DigestOfFiles(files, FilesToldBy::kNamesSizesAndTimes));
  for (const auto& teacher : teachers) source += " model " + teacher->card().model_digest;
  return source;
}

}  // namespace

StatusOr<QualitySamples> QualitySamplesFor(const QualityRunOptions& options, const WorkFolder& work,
                                           Session& session) {
  FACEGATE_ASSIGN_OR_RETURN(const OpenedCrops opened, OpenCrops(options));
  const std::vector<QualityCrops>& sets = opened.sets;
  FACEGATE_ASSIGN_OR_RETURN(const Teachers teachers, LoadTeachers(options, session));
  const std::string source = SourceOf(options, opened.files, teachers);
  if (const std::optional<std::string> kept = work.KeptSamples(); kept.has_value()) {
    StatusOr<QualitySamples> samples = ParseQualitySamples(*kept, source);
    if (samples.ok()) return samples;
    session.Print(fmt::format("{} is made again: {}", work.samples(), MessageOf(samples.status())));
  }
  std::vector<Embedder*> lent;
  for (const auto& teacher : teachers) lent.push_back(teacher.get());
  ProgressBar bar = session.Bar("crops", CropsTaken(sets, MakerOptions(options)));
  FACEGATE_ASSIGN_OR_RETURN(
      QualitySamples samples,
      MakeQualitySamples(sets, lent, MakerOptions(options), [&] { bar.Advance(); }));
  bar.Finish();
  FACEGATE_RETURN_IF_ERROR(
      WriteFileAtomically(work.samples(), SerializeQualitySamples(samples, source)));
  return samples;
}

}  // namespace facegate
