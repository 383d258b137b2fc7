#include "trainer/command/fit_quality.h"

#include <fmt/format.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "face/base/file.h"
#include "face/embed/torch_embedder.h"
#include "face/image/opencv_threads.h"
#include "face/weights/quality_file.h"
#include "trainer/photos/open_dataset.h"
#include "trainer/photos/photo_source.h"
#include "trainer/photos/synthetic_dataset.h"
#include "trainer/quality/quality_training.h"
#include "trainer/quality/sample_maker.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr size_t kDrawnViews = 3;

SampleMakerOptions MakerOptions(const FitQualityOptions& options) {
  return {.seed = options.network.training.seed, .crops = options.crops, .views = options.views};
}

Status CheckOptions(const FitQualityOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckFitNetworkOptions(options.network));
  if (options.data.empty() && options.drawn == 0) {
    return RefuseField("--data", "give sets of aligned crops, or --drawn people");
  }
  return OkStatus();
}

using Teachers = std::vector<std::unique_ptr<Embedder>>;

StatusOr<Teachers> LoadTeachers(const FitQualityOptions& options) {
  Teachers teachers;
  for (const std::string& model : options.models) {
    auto teacher = LoadTorchEmbedder(
        model, {.threads = FitThreads(options.network), .max_batch = 8, .device = "cpu"});
    if (!teacher.ok()) return Annotate(teacher.status(), model);
    teachers.push_back(*std::move(teacher));
  }
  return teachers;
}

struct OpenedCrops {
  std::vector<QualityCrops> sets;
  std::vector<std::string> files;  // that the crops lie in, as far as messages name them
};

StatusOr<OpenedCrops> OpenCrops(const FitQualityOptions& options) {
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
std::string SourceOf(const FitQualityOptions& options, const std::vector<std::string>& files,
                     const Teachers& teachers) {
  std::string source =
      fmt::format("3 seed {} crops {} views {} drawn {} files {}", options.network.training.seed,
                  options.crops, options.views, options.drawn, DigestOfFiles(files));
  for (const auto& teacher : teachers) source += " model " + teacher->card().model_digest;
  return source;
}

StatusOr<QualitySamples> SamplesFor(const FitQualityOptions& options, const FitWorkFolder& work,
                                    std::ostream& out) {
  FACEGATE_ASSIGN_OR_RETURN(const OpenedCrops opened, OpenCrops(options));
  const std::vector<QualityCrops>& sets = opened.sets;
  FACEGATE_ASSIGN_OR_RETURN(const Teachers teachers, LoadTeachers(options));
  const std::string source = SourceOf(options, opened.files, teachers);
  if (const std::optional<std::string> kept = KeptSamples(options.network, work);
      kept.has_value()) {
    StatusOr<QualitySamples> samples = ParseQualitySamples(*kept, source);
    if (samples.ok()) return samples;
    out << fmt::format("{} is made again: {}\n", work.samples(), MessageOf(samples.status()));
  }
  std::vector<Embedder*> lent;
  for (const auto& teacher : teachers) lent.push_back(teacher.get());
  ProgressBar bar = FitBar("crops", CropsTaken(sets, MakerOptions(options)));
  FACEGATE_ASSIGN_OR_RETURN(
      QualitySamples samples,
      MakeQualitySamples(sets, lent, MakerOptions(options), [&] { bar.Advance(); }));
  bar.Finish();
  FACEGATE_RETURN_IF_ERROR(
      WriteFileAtomically(work.samples(), SerializeQualitySamples(samples, source)));
  return samples;
}

std::string PercentText(double share) { return fmt::format("{:.2f} %", 100 * share); }

void PrintHeldOut(const QualityReport& report, std::ostream& out) {
  out << fmt::format(
      "held out: {} views, correlation {:.3f}, mean error {:.3f}, eyes {}, mouth {}\n",
      report.views, report.correlation, report.mean_error, PercentText(report.eyes_accuracy),
      PercentText(report.mouth_accuracy));
}

void PrintTables(const QualityReport& report, std::ostream& out) {
  out << fmt::format("\n{:<14}{:>8}{:>10}{:>10}\n", "flaw", "views", "score", "expected");
  for (const FlawReport& flaw : report.flaws) {
    out << fmt::format("{:<14}{:>8}{:>10.3f}{:>10.3f}\n", ViewFlawName(flaw.flaw), flaw.views,
                       flaw.score, flaw.expected);
  }
  out << fmt::format("\n{:<14}{:>18}{:>18}\n", "discarded", "not recognised", "best possible");
  for (const DiscardPoint& point : report.discard) {
    out << fmt::format("{:<14}{:>18}{:>18}\n", PercentText(point.discarded),
                       PercentText(point.error), PercentText(point.best_error));
  }
}

// Runs what is left of the epochs; the report is of the last one.
StatusOr<QualityReport> RunEpochs(const FitNetworkOptions& options, const FitWorkFolder& work,
                                  const QualitySamples& samples, const QualitySplit& split,
                                  QualityTraining& training, std::ostream& out) {
  double loss = 0.0;
  FACEGATE_RETURN_IF_ERROR(RunEpochsLeft(
      options, work, training,
      [&](const std::function<void()>& on_batch) -> Status {
        FACEGATE_ASSIGN_OR_RETURN(loss, training.RunEpoch(on_batch));
        return OkStatus();
      },
      [&]() -> Status {
        FACEGATE_ASSIGN_OR_RETURN(const QualityWeights weights, training.Weights());
        FACEGATE_ASSIGN_OR_RETURN(const QualityReport report,
                                  CheckQuality(weights, samples, split.held_out));
        out << fmt::format("epoch {:>3}/{}  loss {:.4f}  ", training.epochs_done(),
                           options.training.epochs, loss);
        PrintHeldOut(report, out);
        out.flush();
        return OkStatus();
      }));
  FACEGATE_ASSIGN_OR_RETURN(const QualityWeights weights, training.Weights());
  return CheckQuality(weights, samples, split.held_out);
}

// Leaves out the folders of this machine.
std::string CommandOf(const FitQualityOptions& options) {
  std::string command = "facegate-train fit-quality";
  for (const std::string& path : options.data) command += " --data " + LastNameOf(path);
  for (size_t i = 0; i < options.models.size(); ++i) {
    command += (i == 0 ? " --model " : ",") + LastNameOf(options.models[i]);
  }
  return command + fmt::format(" --crops {} --views {} --drawn {} {}", options.crops, options.views,
                               options.drawn, FitNetworkArguments(options.network));
}

QualityCard CardOf(const FitQualityOptions& options, const FitQualityReport& report) {
  const FitNetworkOptions& network = options.network;
  const QualityReport& held_out = report.held_out;
  QualityCard card = {{"training_data", network.training_data},
                      {"licence", network.licence},
                      {"intended_use", network.intended_use},
                      {"unintended_use", network.unintended_use},
                      {"command", CommandOf(options)},
                      {"people", std::to_string(report.people)},
                      {"views", std::to_string(report.views)},
                      {"held_out_people", std::to_string(report.held_out_people)},
                      {"held_out_views", std::to_string(held_out.views)},
                      {"held_out_correlation", fmt::format("{:.3f}", held_out.correlation)},
                      {"held_out_mean_error", fmt::format("{:.3f}", held_out.mean_error)},
                      {"held_out_eyes_accuracy", PercentText(held_out.eyes_accuracy)},
                      {"held_out_mouth_accuracy", PercentText(held_out.mouth_accuracy)}};
  for (const DiscardPoint& point : held_out.discard) {
    card[fmt::format("held_out_error_at_discard_{:.0f}", 100 * point.discarded)] = fmt::format(
        "{} (best possible {})", PercentText(point.error), PercentText(point.best_error));
  }
  card["error"] = fmt::format(
      "views whose cosine with their clean crop is below {} for one of the teachers, among those "
      "left after the share with the least expected score is discarded",
      kRecognised);
  return card;
}

}  // namespace

StatusOr<FitQualityReport> FitQuality(const FitQualityOptions& options, std::ostream& out) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  SetOpenCvThreads(1);
  const FitNetworkOptions& network = options.network;
  const FitWorkFolder work(network);
  FACEGATE_RETURN_IF_ERROR(work.Make());
  FACEGATE_ASSIGN_OR_RETURN(const QualitySamples samples, SamplesFor(options, work, out));
  FACEGATE_ASSIGN_OR_RETURN(const QualitySplit split,
                            SplitQualitySamples(samples, network.held_out, network.training.seed));
  FACEGATE_ASSIGN_OR_RETURN(const auto training, QualityTraining::Create(TrainingOptionsOf(network),
                                                                         samples, split.learned));
  FitQualityReport report{.people = split.people,
                          .held_out_people = split.held_out_people,
                          .views = split.learned.size(),
                          .held_out = {}};
  out << fmt::format("{} views of {} people to learn from, {} of {} people held out\n",
                     report.views, report.people, split.held_out.size(), report.held_out_people);
  FACEGATE_RETURN_IF_ERROR(ResumeTraining(network, work, *training, out));
  FACEGATE_ASSIGN_OR_RETURN(report.held_out,
                            RunEpochs(network, work, samples, split, *training, out));
  FACEGATE_ASSIGN_OR_RETURN(const QualityWeights weights, training->Weights());
  FACEGATE_RETURN_IF_ERROR(WriteQualityWeights(network.out, weights, CardOf(options, report)));
  PrintTables(report.held_out, out);
  out << fmt::format("\n{}: ", network.out);
  PrintHeldOut(report.held_out, out);
  return report;
}

TrainCommand AddFitQualityCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "fit-quality", "Trains the small network that tells whether a face is fit to be compared");
  command->footer(
      "Each set has aligned crops of 112x112 pixels, a folder for each person (or a list or a "
      "pack). They are\ndegraded in many ways; the network learns how alike the models find a "
      "degraded crop and the clean one,\nand whether eyes and mouth are visible. It is measured on "
      "people who are held out, by name. A run that\nwas stopped goes on after its last whole "
      "epoch "
      "when it is started again with the same options, photos and\nmodels; --restart begins "
      "anew.\n"
      "\n"
      "Examples:\n"
      "  facegate-train fit-quality quality.safetensors --data faces/ --model model.safetensors\n"
      "  facegate-train fit-quality quality.safetensors --data a/ b.pack --drawn 300 --model "
      "a.safetensors,b.safetensors --epochs 20 --work run1/");
  const auto options = std::make_shared<FitQualityOptions>();
  AddFitNetworkOptions(*command, options->network);
  command->add_option("--data", options->data, "Sets of aligned crops: folders, lists or packs");
  command->add_option("--model", options->models, "Models to learn from, separated by commas")
      ->delimiter(',')
      ->required();
  command->add_option("--drawn", options->drawn, "So many people who do not exist, too")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command->add_option("--crops", options->crops, "At most so many crops of each set")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  command->add_option("--views", options->views, "Degraded views of each crop")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  return {.app = command,
          .run = [options](std::ostream& out) { return FitQuality(*options, out).status(); }};
}

}  // namespace facegate
