#include "trainer/landmarks/landmark_run.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <utility>

#include "face/base/counted.h"
#include "face/detect/landmark_cascade.h"
#include "face/weights/landmark_file.h"
#include "trainer/landmarks/landmark_source.h"
#include "trainer/landmarks/landmark_training.h"
#include "trainer/landmarks/preparation.h"
#include "trainer/landmarks/sample.h"
#include "trainer/landmarks/sample_split.h"

namespace facegate {
namespace {

std::string EpochText(int64_t epoch, int64_t epochs, const LandmarkTraining::EpochReport& report,
                      const HeldOutReport& held_out, double seconds) {
  return fmt::format(
      "epoch {:>3}/{}  points {:.4f}  faces {:.4f}  held out: median {} of points, {} of faces, "
      "90th percentile {}, found {}, false {}  {} left",
      epoch, epochs, report.point_error, report.face_error,
      PercentText(held_out.errors.point_median), PercentText(held_out.errors.median),
      PercentText(held_out.errors.ninetieth), PercentText(held_out.errors.found_share()),
      PercentText(held_out.false_share),
      DurationText(seconds * static_cast<double>(epochs - epoch)));
}

// Runs what is left of the epochs; `held_out` is of the last one. False where it was stopped.
StatusOr<bool> RunEpochs(const NetworkRunOptions& options, const WorkFolder& work,
                         const LandmarkSamples& samples, const SampleSplit& split,
                         LandmarkTraining& training, Session& session, HeldOutReport& held_out) {
  LandmarkTraining::EpochReport report;
  auto start = std::chrono::steady_clock::now();
  return RunEpochsLeft(
      options.training.epochs, work, training, session,
      [&](const std::function<void()>& on_batch) -> Status {
        start = std::chrono::steady_clock::now();
        FACEGATE_ASSIGN_OR_RETURN(report, training.RunEpoch(on_batch));
        return OkStatus();
      },
      [&]() -> Status {
        FACEGATE_ASSIGN_OR_RETURN(const LandmarkWeights weights, training.Weights());
        FACEGATE_ASSIGN_OR_RETURN(held_out, CheckHeldOut(weights, samples, split));
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        session.Print(EpochText(training.epochs_done(), options.training.epochs, report, held_out,
                                took.count()));
        return OkStatus();
      });
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
std::string CommandOf(const LandmarkRunOptions& options) {
  return fmt::format("facegate-train fit-landmarks --photos {} --landmarks {} {}",
                     LastNameOf(options.photos), LastNameOf(options.landmarks),
                     NetworkRunArguments(options.network));
}

LandmarkCard CardOf(const LandmarkRunOptions& options, const LandmarkRunReport& report) {
  const NetworkRunOptions& network = options.network;
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
          {"held_out_found", PercentText(report.detector.found_share())},
          {"held_out_median_error", PercentText(report.detector.point_median)},
          {"held_out_median_error_of_faces", PercentText(report.detector.median)},
          {"held_out_90th_percentile_error_of_faces", PercentText(report.detector.ninetieth)},
          {"error",
           "distance from the given landmark over the distance of the eyes, by cascade and network "
           "on whole photos of people who were not learned from; of faces: the mean of the five"}};
}

Status MeasureDetector(const LandmarkRunOptions& options, const OrderedLandmarks& photos,
                       LandmarkWeights weights, const Session& session, LandmarkRunReport& report) {
  LandmarkCascadeOptions cascade;
  cascade.directory = options.haar_dir;
  FACEGATE_ASSIGN_OR_RETURN(const std::unique_ptr<Detector> detector,
                            CreateLandmarkCascadeDetector(cascade, std::move(weights)));
  ProgressBar bar = session.Bar("held-out photos", photos.size());
  FACEGATE_ASSIGN_OR_RETURN(
      report.detector, CheckDetector(*detector, options.photos, photos, [&] { bar.Advance(); }));
  bar.Finish();
  return OkStatus();
}

}  // namespace

StatusOr<LandmarkRunReport> FitLandmarks(const LandmarkRunOptions& options, Session& session) {
  if (!std::filesystem::is_directory(options.photos)) {
    return NotFound(fmt::format("{} is not a folder of photos", options.photos));
  }
  const NetworkRunOptions& network = options.network;
  FACEGATE_ASSIGN_OR_RETURN(const WorkFolder work, WorkFolder::Open(network));
  FACEGATE_ASSIGN_OR_RETURN(const OrderedLandmarks landmarks, FindLandmarks(options, session));
  FACEGATE_ASSIGN_OR_RETURN(const LandmarkSamples samples,
                            LandmarkSamplesFor(options, work, landmarks, session));
  FACEGATE_ASSIGN_OR_RETURN(const SampleSplit split,
                            SplitByPerson(samples, network.held_out, network.training.seed));
  FACEGATE_ASSIGN_OR_RETURN(
      const auto training,
      LandmarkTraining::Create(TrainingOptionsOf(network, session), samples, split));
  LandmarkRunReport report{.people = split.people,
                           .held_out_people = split.held_out_people,
                           .photos = split.faces.size()};
  session.Print(
      fmt::format("{} photos of {} people to learn from, {} of {} people held out; {} boxes "
                  "without a face",
                  report.photos, report.people, split.held_out_faces.size(), report.held_out_people,
                  samples.negatives.size()));
  FACEGATE_RETURN_IF_ERROR(work.Resume(*training, session));
  FACEGATE_ASSIGN_OR_RETURN(
      report.finished, RunEpochs(network, work, samples, split, *training, session, report.boxes));
  if (!report.finished) return report;
  FACEGATE_ASSIGN_OR_RETURN(const LandmarkWeights weights, training->Weights());
  FACEGATE_RETURN_IF_ERROR(
      MeasureDetector(options, HeldOutPhotos(landmarks, samples, split), weights, session, report));
  FACEGATE_RETURN_IF_ERROR(WriteLandmarkWeights(network.out, weights, CardOf(options, report)));
  return report;
}

}  // namespace facegate
