#include "trainer/command/fit_quality.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "face/base/file.h"
#include "face/image/opencv_threads.h"
#include "face/model/quality_file.h"
#include "face/model/torch_embedder.h"
#include "trainer/data/open_dataset.h"
#include "trainer/data/photo_source.h"
#include "trainer/progress.h"
#include "trainer/quality/quality_training.h"
#include "trainer/quality/sample_maker.h"
#include "trainer/synthetic/synthetic_dataset.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxViewFileBytes = 64ULL << 30;
constexpr double kMostPeopleHeldOut = 0.9;
constexpr size_t kDrawnViews = 3;

ProgressBar QualityBar(const std::string& what, size_t total) {
  return ProgressBar(std::cerr, ::isatty(STDERR_FILENO) == 1, what, total);
}

int ThreadsOf(const FitQualityOptions& options) {
  if (options.threads > 0) return options.threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

SampleMakerOptions MakerOptions(const FitQualityOptions& options) {
  return {.seed = options.seed, .crops = options.crops, .views = options.views};
}

Status CheckOptions(const FitQualityOptions& options) {
  if (!(options.held_out > 0 && options.held_out <= kMostPeopleHeldOut)) {
    return RefuseField("--held-out", fmt::format("{} is not above 0 and at most {}",
                                                 options.held_out, kMostPeopleHeldOut));
  }
  if (!(options.learning_rate > 0)) {
    return RefuseField("--learning-rate", fmt::format("{} is not above 0", options.learning_rate));
  }
  if (options.data.empty() && options.drawn == 0) {
    return RefuseField("--data", "give sets of aligned crops, or --drawn people");
  }
  if (fs::exists(options.out) && !options.force) {
    return FailedPrecondition(fmt::format("{} exists; --force replaces it", options.out));
  }
  return OkStatus();
}

// Where a run keeps what lets it go on.
class QualityWorkFolder {
 public:
  explicit QualityWorkFolder(const FitQualityOptions& options)
      : folder_(options.work.value_or(options.out + ".work")) {}

  Status Make() const {
    std::error_code failure;
    fs::create_directories(folder_, failure);
    if (failure) return NotFound(fmt::format("{}: {}", folder_.string(), failure.message()));
    return OkStatus();
  }
  std::string samples() const { return (folder_ / "samples.safetensors").string(); }
  std::string checkpoint() const { return (folder_ / "checkpoint.safetensors").string(); }

 private:
  const fs::path folder_;
};

using Teachers = std::vector<std::unique_ptr<Embedder>>;

StatusOr<Teachers> LoadTeachers(const FitQualityOptions& options) {
  Teachers teachers;
  for (const std::string& model : options.models) {
    auto teacher =
        LoadTorchEmbedder(model, {.threads = ThreadsOf(options), .max_batch = 8, .device = "cpu"});
    if (!teacher.ok()) return Annotate(teacher.status(), model);
    teachers.push_back(*std::move(teacher));
  }
  return teachers;
}

StatusOr<std::vector<QualityCrops>> OpenCrops(const FitQualityOptions& options) {
  std::vector<QualityCrops> sets;
  for (const std::string& path : options.data) {
    FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<PhotoSource> source, OpenPhotoSource(path, ""));
    QualityCrops set{.dataset = nullptr, .people = source->classes()};
    set.dataset = MakeDecodedDataset(std::move(source));
    sets.push_back(std::move(set));
  }
  if (options.drawn > 0) {
    QualityCrops set{.dataset = MakeSyntheticDataset(
                         {.seed = options.seed, .identities = options.drawn, .views = kDrawnViews}),
                     .people = {}};
    for (size_t i = 0; i < options.drawn; ++i) {
      set.people.push_back(fmt::format("drawn {}", i));
    }
    sets.push_back(std::move(set));
  }
  return sets;
}

// What the samples follow from; the number changes with how views are drawn.
std::string SourceOf(const FitQualityOptions& options, const std::vector<QualityCrops>& sets,
                     const Teachers& teachers) {
  std::string source =
      fmt::format("1 seed {} crops {} views {}", options.seed, options.crops, options.views);
  for (size_t i = 0; i < sets.size(); ++i) {
    std::error_code failure;
    const std::string name =
        i < options.data.size() ? fs::absolute(options.data[i], failure).string() : "drawn";
    source += fmt::format("; {} ({})", name, sets[i].dataset->size());
  }
  for (const auto& teacher : teachers) source += "; " + teacher->card().model_digest;
  return source;
}

StatusOr<QualitySamples> SamplesFor(const FitQualityOptions& options, const QualityWorkFolder& work,
                                    std::ostream& out) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<QualityCrops> sets, OpenCrops(options));
  FACEGATE_ASSIGN_OR_RETURN(const Teachers teachers, LoadTeachers(options));
  const std::string source = SourceOf(options, sets, teachers);
  if (!options.restart) {
    if (const StatusOr<std::string> kept = ReadFile(work.samples(), kMaxViewFileBytes); kept.ok()) {
      StatusOr<QualitySamples> samples = ParseQualitySamples(*kept, source);
      if (samples.ok()) return samples;
      out << fmt::format("{} is made again: {}\n", work.samples(), MessageOf(samples.status()));
    }
  }
  std::vector<Embedder*> lent;
  for (const auto& teacher : teachers) lent.push_back(teacher.get());
  ProgressBar bar = QualityBar("crops", CropsTaken(sets, MakerOptions(options)));
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
StatusOr<QualityReport> RunEpochs(const FitQualityOptions& options, const QualityWorkFolder& work,
                                  const QualitySamples& samples, const QualitySplit& split,
                                  QualityTraining& training, std::ostream& out) {
  while (training.epochs_done() < options.epochs) {
    ProgressBar bar = QualityBar("batches", static_cast<size_t>(training.batches_per_epoch()));
    FACEGATE_ASSIGN_OR_RETURN(const double loss, training.RunEpoch([&] { bar.Advance(); }));
    bar.Finish();
    FACEGATE_RETURN_IF_ERROR(training.Save(work.checkpoint()));
    FACEGATE_ASSIGN_OR_RETURN(const QualityWeights weights, training.Weights());
    FACEGATE_ASSIGN_OR_RETURN(const QualityReport report,
                              CheckQuality(weights, samples, split.held_out));
    out << fmt::format("epoch {:>3}/{}  loss {:.4f}  ", training.epochs_done(), options.epochs,
                       loss);
    PrintHeldOut(report, out);
    out.flush();
  }
  FACEGATE_ASSIGN_OR_RETURN(const QualityWeights weights, training.Weights());
  return CheckQuality(weights, samples, split.held_out);
}

QualityCard CardOf(const FitQualityOptions& options, const FitQualityReport& report) {
  const QualityReport& held_out = report.held_out;
  QualityCard card = {{"training_data", options.training_data},
                      {"licence", options.licence},
                      {"intended_use", options.intended_use},
                      {"unintended_use", options.unintended_use},
                      {"command", options.command},
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
  const QualityWorkFolder work(options);
  FACEGATE_RETURN_IF_ERROR(work.Make());
  FACEGATE_ASSIGN_OR_RETURN(const QualitySamples samples, SamplesFor(options, work, out));
  FACEGATE_ASSIGN_OR_RETURN(const QualitySplit split,
                            SplitQualitySamples(samples, options.held_out, options.seed));
  FACEGATE_ASSIGN_OR_RETURN(const auto training,
                            QualityTraining::Create({.seed = options.seed,
                                                     .epochs = options.epochs,
                                                     .batch = options.batch,
                                                     .learning_rate = options.learning_rate,
                                                     .threads = ThreadsOf(options)},
                                                    samples, split.learned));
  FitQualityReport report{.people = split.people,
                          .held_out_people = split.held_out_people,
                          .views = split.learned.size(),
                          .held_out = {}};
  out << fmt::format("{} views of {} people to learn from, {} of {} people held out\n",
                     report.views, report.people, split.held_out.size(), report.held_out_people);
  if (!options.restart && fs::exists(work.checkpoint())) {
    const Status resumed = training->Resume(work.checkpoint());
    if (!resumed.ok()) return Annotate(resumed, "--restart begins anew");
    out << fmt::format("going on after epoch {}\n", training->epochs_done());
  }
  FACEGATE_ASSIGN_OR_RETURN(report.held_out,
                            RunEpochs(options, work, samples, split, *training, out));
  FACEGATE_ASSIGN_OR_RETURN(const QualityWeights weights, training->Weights());
  FACEGATE_RETURN_IF_ERROR(WriteQualityWeights(options.out, weights, CardOf(options, report)));
  PrintTables(report.held_out, out);
  out << fmt::format("\n{}: ", options.out);
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
      "people who are held out, by name. A run that\nwas stopped continues when it is started "
      "again.\n"
      "\n"
      "Examples:\n"
      "  facegate-train fit-quality quality.safetensors --data faces/ --model model.safetensors\n"
      "  facegate-train fit-quality quality.safetensors --data a/ b.pack --drawn 300 --model "
      "a.safetensors,b.safetensors --epochs 20 --work run1/");
  const auto options = std::make_shared<FitQualityOptions>();
  command
      ->add_option("-o,--out,--output,OUT", options->out, "Weight file to write, NAME.safetensors")
      ->required();
  command->add_option("--data", options->data, "Sets of aligned crops: folders, lists or packs");
  command->add_option("--model", options->models, "Models to learn from, separated by commas")
      ->delimiter(',')
      ->required();
  command->add_option("--drawn", options->drawn, "So many people who do not exist, too")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command->add_option("--work", options->work,
                      "Folder for what was prepared and for the checkpoint [OUT.work]");
  command->add_option("--crops", options->crops, "At most so many crops of each set")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  command->add_option("--views", options->views, "Degraded views of each crop")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--epochs", options->epochs, "Times that each view is seen")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->add_option("--batch", options->batch, "Views of one update")
      ->check(CLI::Range(2, 65'536))
      ->capture_default_str();
  command->add_option("--learning-rate", options->learning_rate, "Of AdamW; falls as a cosine")
      ->capture_default_str();
  command->add_option("--held-out", options->held_out, "Share of the people to measure on")
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Everything random follows from it")
      ->capture_default_str();
  command->add_option("--threads", options->threads, "0: as many as the machine has cores")
      ->check(CLI::Range(0, kMaxThreads))
      ->capture_default_str();
  command->add_option("--training-data", options->training_data, "What the crops are, in words");
  command->add_option("--licence,--license", options->licence, "Of the weights");
  command->add_option("--intended-use", options->intended_use, "For the card")
      ->capture_default_str();
  command->add_option("--unintended-use", options->unintended_use, "For the card")
      ->capture_default_str();
  command->add_flag("--restart", options->restart,
                    "Start from scratch even if there are samples and a checkpoint");
  command->add_flag("--force", options->force, "Replace OUT");
  return {.app = command, .run = [options](std::ostream& out) {
            options->command = fmt::format(
                "facegate-train fit-quality --crops {} --views {} --drawn {} --epochs {} --batch "
                "{} --learning-rate {} --held-out {} --seed {}",
                options->crops, options->views, options->drawn, options->epochs, options->batch,
                options->learning_rate, options->held_out, options->seed);
            return FitQuality(*options, out).status();
          }};
}

}  // namespace facegate
