#include "trainer/command/fit_landmarks.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "face/base/sha256.h"
#include "face/detect/cascade_search.h"
#include "face/detect/landmark_cascade.h"
#include "face/image/opencv_threads.h"
#include "face/weights/landmark_file.h"
#include "trainer/embeddings/face_cutter.h"
#include "trainer/landmarks/landmark_training.h"
#include "trainer/landmarks/preparation.h"
#include "trainer/landmarks/sample.h"
#include "trainer/landmarks/sample_split.h"
#include "trainer/photos/photo_finder.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxListBytes = 1ULL << 30;

Status CheckOptions(const FitLandmarksOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckFitNetworkOptions(options.network));
  if (!fs::is_directory(options.photos)) {
    return NotFound(fmt::format("{} is not a folder of photos", options.photos));
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

// Says what the samples follow from; the number changes with how they are cut.
StatusOr<std::string> SourceOf(const FitLandmarksOptions& options,
                               const OrderedLandmarks& landmarks) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string list, ReadFile(options.landmarks, kMaxListBytes));
  std::error_code failure;
  const fs::path folder = fs::absolute(options.photos, failure);
  std::vector<std::string> files = {(fs::path(options.haar_dir) / kFaceCascadeFile).string()};
  for (const auto& [name, points] : landmarks) files.push_back((folder / name).string());
  return fmt::format("3 {} {} {}", Sha256Hex(list), options.network.training.seed,
                     DigestOfFiles(files));
}

StatusOr<LandmarkSamples> SamplesFor(const FitLandmarksOptions& options, const FitWorkFolder& work,
                                     const OrderedLandmarks& landmarks, std::ostream& out) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string source, SourceOf(options, landmarks));
  if (const std::optional<std::string> kept = KeptSamples(options.network, work);
      kept.has_value()) {
    StatusOr<LandmarkSamples> samples = ParseSamples(*kept, source);
    if (samples.ok()) return samples;
    out << fmt::format("{} is made again: {}\n", work.samples(), MessageOf(samples.status()));
  }
  ProgressBar bar = FitBar("photos", landmarks.size());
  FACEGATE_ASSIGN_OR_RETURN(LandmarkSamples samples,
                            PrepareSamples(landmarks,
                                           {.photos = options.photos,
                                            .cascades = options.haar_dir,
                                            .seed = options.network.training.seed,
                                            .threads = FitThreads(options.network)},
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
StatusOr<HeldOutReport> RunEpochs(const FitNetworkOptions& options, const FitWorkFolder& work,
                                  const LandmarkSamples& samples, const SampleSplit& split,
                                  LandmarkTraining& training, std::ostream& out) {
  HeldOutReport held_out;
  LandmarkTraining::EpochReport report;
  auto start = std::chrono::steady_clock::now();
  FACEGATE_RETURN_IF_ERROR(RunEpochsLeft(
      options, work, training,
      [&](const std::function<void()>& on_batch) -> Status {
        start = std::chrono::steady_clock::now();
        FACEGATE_ASSIGN_OR_RETURN(report, training.RunEpoch(on_batch));
        return OkStatus();
      },
      [&]() -> Status {
        FACEGATE_ASSIGN_OR_RETURN(const LandmarkWeights weights, training.Weights());
        FACEGATE_ASSIGN_OR_RETURN(held_out, CheckHeldOut(weights, samples, split));
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        PrintEpoch(training.epochs_done(), options.training.epochs, report, held_out, took.count(),
                   out);
        return OkStatus();
      }));
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

// Leaves out the folders of this machine.
std::string CommandOf(const FitLandmarksOptions& options) {
  return fmt::format("facegate-train fit-landmarks --photos {} --landmarks {} {}",
                     LastNameOf(options.photos), LastNameOf(options.landmarks),
                     FitNetworkArguments(options.network));
}

LandmarkCard CardOf(const FitLandmarksOptions& options, const FitLandmarksReport& report) {
  const FitNetworkOptions& network = options.network;
  return {{"training_data", network.training_data},
          {"licence", network.licence},
          {"teacher", options.teacher},
          {"intended_use", network.intended_use},
          {"unintended_use", network.unintended_use},
          {"command", CommandOf(options)},
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
  ProgressBar bar = FitBar("held-out photos", photos.size());
  FACEGATE_ASSIGN_OR_RETURN(
      report.detector, CheckDetector(*detector, options.photos, photos, [&] { bar.Advance(); }));
  bar.Finish();
  return OkStatus();
}

}  // namespace

StatusOr<FitLandmarksReport> FitLandmarks(const FitLandmarksOptions& options, std::ostream& out) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  SetOpenCvThreads(1);
  const FitNetworkOptions& network = options.network;
  const FitWorkFolder work(network);
  FACEGATE_RETURN_IF_ERROR(work.Make());
  FACEGATE_ASSIGN_OR_RETURN(const OrderedLandmarks named, ReadOrdered(options.landmarks));
  FACEGATE_ASSIGN_OR_RETURN(const OrderedLandmarks landmarks, FindPhotos(options, named, out));
  FACEGATE_ASSIGN_OR_RETURN(const LandmarkSamples samples,
                            SamplesFor(options, work, landmarks, out));
  FACEGATE_ASSIGN_OR_RETURN(const SampleSplit split,
                            SplitByPerson(samples, network.held_out, network.training.seed));
  FACEGATE_ASSIGN_OR_RETURN(const auto training,
                            LandmarkTraining::Create(TrainingOptionsOf(network), samples, split));
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
  FACEGATE_RETURN_IF_ERROR(ResumeTraining(network, work, *training, out));
  FACEGATE_ASSIGN_OR_RETURN(report.boxes, RunEpochs(network, work, samples, split, *training, out));
  FACEGATE_ASSIGN_OR_RETURN(const LandmarkWeights weights, training->Weights());
  FACEGATE_RETURN_IF_ERROR(
      MeasureDetector(options, HeldOutPhotos(landmarks, samples, split), weights, report));
  FACEGATE_RETURN_IF_ERROR(WriteLandmarkWeights(network.out, weights, CardOf(options, report)));
  out << fmt::format(
      "{}: on {} photos of {} people who were held out, found {}; error over the eyes' distance: "
      "median {} of landmarks, {} of faces, 90th percentile of faces {}\n",
      network.out, report.detector.photos, report.held_out_people,
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
      "A run that was stopped\ngoes on after its last whole epoch when it is started again with "
      "the "
      "same options and photos;\n--restart begins anew.\n"
      "\n"
      "Examples:\n"
      "  facegate-train fit-landmarks landmarks.safetensors --photos lfw/ --landmarks "
      "landmarks.txt\n"
      "  facegate-train fit-landmarks out.safetensors --photos lfw/ --landmarks landmarks.txt "
      "--epochs 60 --work run1/");
  const auto options = std::make_shared<FitLandmarksOptions>();
  AddFitNetworkOptions(*command, options->network);
  command->add_option("--photos", options->photos, "Folder that the names are relative to")
      ->required();
  command->add_option("--landmarks", options->landmarks, "The photos and their landmarks")
      ->required();
  command->add_option("--haar-dir", options->haar_dir, "Folder of the cascades")
      ->capture_default_str();
  command->add_option("--teacher", options->teacher, "What found the given landmarks, in words");
  command->add_flag("--skip-missing", options->skip_missing,
                    "Leave out photos that are not there; without it they are an error");
  return {.app = command,
          .run = [options](std::ostream& out) { return FitLandmarks(*options, out).status(); }};
}

}  // namespace facegate
