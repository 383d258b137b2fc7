#include "trainer/command/fit_landmarks.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "face/base/sha256.h"
#include "face/detect/landmark_cascade.h"
#include "face/image/opencv_threads.h"
#include "face/model/landmark_file.h"
#include "trainer/data/photo_finder.h"
#include "trainer/eval/face_cutter.h"
#include "trainer/landmarks/landmark_training.h"
#include "trainer/landmarks/preparation.h"
#include "trainer/landmarks/sample.h"
#include "trainer/landmarks/sample_split.h"
#include "trainer/progress.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxSampleBytes = 64ULL << 30;
constexpr uint64_t kMaxListBytes = 1ULL << 30;
constexpr double kMostHeldOut = 0.9;

ProgressBar BarOf(const std::string& what, size_t total) {
  return ProgressBar(std::cerr, ::isatty(STDERR_FILENO) == 1, what, total);
}

int ThreadsOf(const FitLandmarksOptions& options) {
  if (options.threads > 0) return options.threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

Status CheckOptions(const FitLandmarksOptions& options) {
  if (!(options.held_out > 0 && options.held_out <= kMostHeldOut)) {
    return RefuseField("--held-out", fmt::format("{} is not above 0 and at most {}",
                                                 options.held_out, kMostHeldOut));
  }
  if (!(options.learning_rate > 0)) {
    return RefuseField("--learning-rate", fmt::format("{} is not above 0", options.learning_rate));
  }
  if (!fs::is_directory(options.photos)) {
    return NotFound(fmt::format("{} is not a folder of photos", options.photos));
  }
  if (fs::exists(options.out) && !options.force) {
    return FailedPrecondition(fmt::format("{} exists; --force replaces it", options.out));
  }
  return OkStatus();
}

StatusOr<OrderedLandmarks> ReadOrdered(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(LandmarkTable table, ReadLandmarks(path));
  OrderedLandmarks ordered;
  for (auto& [name, points] : table) ordered.emplace(name, std::move(points));
  if (ordered.empty()) return InvalidArgument(fmt::format("{} has no landmarks", path));
  return ordered;
}

// Gives photos the names of their files, which may end otherwise, before hours of work: those that
// are not there are refused, or left out where that is asked for.
StatusOr<OrderedLandmarks> FindPhotos(const FitLandmarksOptions& options,
                                      const OrderedLandmarks& landmarks, std::ostream& out) {
  PhotoFinder finder(options.photos);
  OrderedLandmarks found;
  std::vector<std::string> missing;
  for (const auto& [name, points] : landmarks) {
    if (const std::optional<std::string> file = finder.FindName(name); file.has_value()) {
      found.emplace(*file, points);
    } else {
      missing.push_back(name);
    }
  }
  if (missing.empty()) return found;
  if (options.skip_missing && !found.empty()) {
    out << fmt::format("left out: photos that are not there ({}, such as {})\n", missing.size(),
                       missing.front());
    return found;
  }
  return InvalidArgument(fmt::format(
      "{}: {}", options.landmarks,
      MissingPhotosMessage(missing, landmarks.size(), options.photos,
                           found.empty() ? "Names in the list are relative to the folder --photos."
                                         : "--skip-missing leaves them out.")));
}

// Where a run keeps what lets it go on.
class WorkFolder {
 public:
  explicit WorkFolder(const FitLandmarksOptions& options)
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

// What the samples follow from; the number changes with how they are cut.
StatusOr<std::string> SourceOf(const FitLandmarksOptions& options, size_t photos) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string list, ReadFile(options.landmarks, kMaxListBytes));
  std::error_code failure;
  const std::string source = fmt::format("2 {} {} {}", Sha256Hex(list), options.seed,
                                         fs::absolute(options.photos, failure).string());
  return options.skip_missing ? fmt::format("{}, {} photos", source, photos) : source;
}

StatusOr<LandmarkSamples> SamplesFor(const FitLandmarksOptions& options, const WorkFolder& work,
                                     const OrderedLandmarks& landmarks, std::ostream& out) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string source, SourceOf(options, landmarks.size()));
  if (const StatusOr<std::string> kept = ReadFile(work.samples(), kMaxSampleBytes); kept.ok()) {
    StatusOr<LandmarkSamples> samples = ParseSamples(*kept, source);
    if (samples.ok()) return samples;
    out << fmt::format("{} is made again: {}\n", work.samples(), MessageOf(samples.status()));
  }
  ProgressBar bar = BarOf("photos", landmarks.size());
  FACEGATE_ASSIGN_OR_RETURN(LandmarkSamples samples, PrepareSamples(landmarks,
                                                                    {.photos = options.photos,
                                                                     .cascades = options.haar_dir,
                                                                     .seed = options.seed,
                                                                     .threads = ThreadsOf(options)},
                                                                    [&] { bar.Advance(); }));
  bar.Finish();
  FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(work.samples(), SerializeSamples(samples, source)));
  return samples;
}

std::string Percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

std::string Minutes(double seconds) {
  const auto whole = static_cast<long>(seconds);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

void PrintEpoch(int64_t epoch, int64_t epochs, const LandmarkTraining::EpochReport& report,
                const HeldOutReport& held_out, double seconds, std::ostream& out) {
  out << fmt::format(
             "epoch {:>3}/{}  points {:.4f}  faces {:.4f}  held out: median {} of points, {} of "
             "faces, 90th percentile {}, found {}, false {}  {} left",
             epoch, epochs, report.point_error, report.face_error,
             Percent(held_out.errors.point_median), Percent(held_out.errors.median),
             Percent(held_out.errors.ninetieth), Percent(held_out.errors.found_share()),
             Percent(held_out.false_share), Minutes(seconds * static_cast<double>(epochs - epoch)))
      << std::endl;
}

// Runs what is left of the epochs; the report is of the last one.
StatusOr<HeldOutReport> RunEpochs(const FitLandmarksOptions& options, const WorkFolder& work,
                                  const LandmarkSamples& samples, const SampleSplit& split,
                                  LandmarkTraining& training, std::ostream& out) {
  HeldOutReport held_out;
  while (training.epochs_done() < options.epochs) {
    const auto start = std::chrono::steady_clock::now();
    ProgressBar bar = BarOf("batches", static_cast<size_t>(training.batches_per_epoch()));
    FACEGATE_ASSIGN_OR_RETURN(const LandmarkTraining::EpochReport report,
                              training.RunEpoch([&] { bar.Advance(); }));
    bar.Finish();
    FACEGATE_RETURN_IF_ERROR(training.Save(work.checkpoint()));
    FACEGATE_ASSIGN_OR_RETURN(const LandmarkWeights weights, training.Weights());
    FACEGATE_ASSIGN_OR_RETURN(held_out, CheckHeldOut(weights, samples, split));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    PrintEpoch(training.epochs_done(), options.epochs, report, held_out, took.count(), out);
  }
  return held_out;
}

OrderedLandmarks HeldOutPhotos(const OrderedLandmarks& landmarks, const LandmarkSamples& samples,
                               const SampleSplit& split) {
  OrderedLandmarks chosen;
  for (const size_t i : split.held_out_faces) {
    const auto found = landmarks.find(samples.photos[samples.faces[i].photo]);
    if (found != landmarks.end()) chosen.insert(*found);
  }
  return chosen;
}

LandmarkCard CardOf(const FitLandmarksOptions& options, const FitLandmarksReport& report) {
  return {{"training_data", options.training_data},
          {"licence", options.licence},
          {"teacher", options.teacher},
          {"intended_use", options.intended_use},
          {"unintended_use", options.unintended_use},
          {"command", options.command},
          {"people", std::to_string(report.people)},
          {"photos", std::to_string(report.photos)},
          {"held_out_people", std::to_string(report.held_out_people)},
          {"held_out_photos", std::to_string(report.detector.photos)},
          {"held_out_found", Percent(report.detector.found_share())},
          {"held_out_median_error", Percent(report.detector.point_median)},
          {"held_out_median_error_of_faces", Percent(report.detector.median)},
          {"held_out_90th_percentile_error_of_faces", Percent(report.detector.ninetieth)},
          {"error",
           "distance from the given landmark over the distance of the eyes, by cascade and network "
           "on whole photos of people who were not learned from; of faces: the mean of the five"}};
}

Status MeasureDetector(const FitLandmarksOptions& options, const OrderedLandmarks& photos,
                       LandmarkWeights weights, FitLandmarksReport& report) {
  LandmarkCascadeOptions cascade;
  cascade.directory = options.haar_dir;
  FACEGATE_ASSIGN_OR_RETURN(const std::unique_ptr<Detector> detector,
                            CreateLandmarkCascadeDetector(cascade, std::move(weights)));
  ProgressBar bar = BarOf("held-out photos", photos.size());
  FACEGATE_ASSIGN_OR_RETURN(
      report.detector, CheckDetector(*detector, options.photos, photos, [&] { bar.Advance(); }));
  bar.Finish();
  return OkStatus();
}

}  // namespace

StatusOr<FitLandmarksReport> FitLandmarks(const FitLandmarksOptions& options, std::ostream& out) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  SetOpenCvThreads(1);
  const WorkFolder work(options);
  FACEGATE_RETURN_IF_ERROR(work.Make());
  FACEGATE_ASSIGN_OR_RETURN(const OrderedLandmarks named, ReadOrdered(options.landmarks));
  FACEGATE_ASSIGN_OR_RETURN(const OrderedLandmarks landmarks, FindPhotos(options, named, out));
  FACEGATE_ASSIGN_OR_RETURN(const LandmarkSamples samples,
                            SamplesFor(options, work, landmarks, out));
  FACEGATE_ASSIGN_OR_RETURN(const SampleSplit split,
                            SplitByPerson(samples, options.held_out, options.seed));
  FACEGATE_ASSIGN_OR_RETURN(const auto training,
                            LandmarkTraining::Create({.seed = options.seed,
                                                      .epochs = options.epochs,
                                                      .batch = options.batch,
                                                      .learning_rate = options.learning_rate,
                                                      .threads = ThreadsOf(options)},
                                                     samples, split));
  FitLandmarksReport report{.people = split.people,
                            .held_out_people = split.held_out_people,
                            .photos = split.faces.size(),
                            .boxes = {},
                            .detector = {}};
  out << fmt::format(
      "{} photos of {} people to learn from, {} of {} people held out; {} boxes "
      "without a face\n",
      report.photos, report.people, split.held_out_faces.size(), report.held_out_people,
      samples.negatives.size());
  if (!options.restart && fs::exists(work.checkpoint())) {
    const Status resumed = training->Resume(work.checkpoint());
    if (!resumed.ok()) return Annotate(resumed, "--restart begins anew");
    out << fmt::format("going on after epoch {}\n", training->epochs_done());
  }
  FACEGATE_ASSIGN_OR_RETURN(report.boxes, RunEpochs(options, work, samples, split, *training, out));
  FACEGATE_ASSIGN_OR_RETURN(const LandmarkWeights weights, training->Weights());
  FACEGATE_RETURN_IF_ERROR(
      MeasureDetector(options, HeldOutPhotos(landmarks, samples, split), weights, report));
  FACEGATE_RETURN_IF_ERROR(WriteLandmarkWeights(options.out, weights, CardOf(options, report)));
  out << fmt::format(
      "{}: on {} photos of {} people who were held out, found {}; error over the eyes' distance: "
      "median {} of landmarks, {} of faces, 90th percentile of faces {}\n",
      options.out, report.detector.photos, report.held_out_people,
      Percent(report.detector.found_share()), Percent(report.detector.point_median),
      Percent(report.detector.median), Percent(report.detector.ninetieth));
  return report;
}

TrainCommand AddFitLandmarksCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "fit-landmarks",
      "Trains the small network that finds eyes, nose and mouth in the cascade's boxes");
  command->footer(
      "LANDMARKS has a photo's name and ten numbers in each line: x and y of the eye at the left "
      "of "
      "the\npicture, the eye at its right, the nose, the left and the right corner of the mouth. "
      "The folder of a\nphoto names its person; the error is measured on people who are held out. "
      "A run that was stopped\ncontinues when it is started again.\n"
      "\n"
      "Examples:\n"
      "  facegate-train fit-landmarks landmarks.safetensors --photos lfw/ --landmarks "
      "landmarks.txt\n"
      "  facegate-train fit-landmarks out.safetensors --photos lfw/ --landmarks landmarks.txt "
      "--epochs 60 --work run1/");
  const auto options = std::make_shared<FitLandmarksOptions>();
  command
      ->add_option("-o,--out,--output,OUT", options->out, "Weight file to write, NAME.safetensors")
      ->required();
  command->add_option("--photos", options->photos, "Folder that the names are relative to")
      ->required();
  command->add_option("--landmarks", options->landmarks, "The photos and their landmarks")
      ->required();
  command->add_option("--work", options->work,
                      "Folder for what was prepared and for the checkpoint [OUT.work]");
  command->add_option("--haar-dir", options->haar_dir, "Folder of the cascades")
      ->capture_default_str();
  command->add_option("--epochs", options->epochs, "Times that each photo is seen, in three views")
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
  command->add_option("--training-data", options->training_data, "What the photos are, in words");
  command->add_option("--licence,--license", options->licence, "Of the weights");
  command->add_option("--teacher", options->teacher, "What found the given landmarks, in words");
  command->add_option("--intended-use", options->intended_use, "For the card")
      ->capture_default_str();
  command->add_option("--unintended-use", options->unintended_use, "For the card")
      ->capture_default_str();
  command->add_flag("--skip-missing", options->skip_missing,
                    "Leave out photos that are not there; without it they are an error");
  command->add_flag("--restart", options->restart,
                    "Start from scratch even if there is a checkpoint");
  command->add_flag("--force", options->force, "Replace OUT");
  return {.app = command, .run = [options](std::ostream& out) {
            options->command = fmt::format(
                "facegate-train fit-landmarks --epochs {} --batch {} --learning-rate {} "
                "--held-out {} --seed {}",
                options->epochs, options->batch, options->learning_rate, options->held_out,
                options->seed);
            return FitLandmarks(*options, out).status();
          }};
}

}  // namespace facegate
