#include "trainer/command/fit_landmarks.h"

#include <fmt/format.h>

#include <memory>
#include <string>

#include "face/base/counted.h"
#include "trainer/command/fit_network.h"
#include "trainer/landmarks/landmark_run.h"

namespace facegate {
namespace {

struct FitLandmarksOptions {
  LandmarkRunOptions run{};
  FitNetworkOptions command{};
};

Status RunFitLandmarks(const FitLandmarksOptions& options, std::ostream& out) {
  const NetworkRunOptions& network = options.run.network;
  FACEGATE_RETURN_IF_ERROR(CheckFitNetworkOptions(network, options.command));
  Session session = FitNetworkSession(options.command, out);
  FACEGATE_ASSIGN_OR_RETURN(const LandmarkRunReport report, FitLandmarks(options.run, session));
  if (!report.finished) {
    out << kFitNetworkStopped;
    return OkStatus();
  }
  out << fmt::format(
      "{}: on {} photos of {} people who were held out, found {}; error over the eyes' distance: "
      "median {} of landmarks, {} of faces, 90th percentile of faces {}\n",
      network.out, report.detector.photos, report.held_out_people,
      PercentText(report.detector.found_share()), PercentText(report.detector.point_median),
      PercentText(report.detector.median), PercentText(report.detector.ninetieth));
  return OkStatus();
}

}  // namespace

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
      "same options and photos;\n--restart begins anew. Ctrl-C stops it after the epoch that "
      "runs. It computes on the CPU.\n"
      "\n"
      "Examples:\n"
      "  facegate-train fit-landmarks landmarks.safetensors --photos lfw/ --landmarks "
      "landmarks.txt\n"
      "  facegate-train fit-landmarks out.safetensors --photos lfw/ --landmarks landmarks.txt "
      "--epochs 60 --work run1/");
  const auto options = std::make_shared<FitLandmarksOptions>();
  LandmarkRunOptions& run = options->run;
  AddFitNetworkOptions(*command, run.network, options->command);
  command->add_option("--photos", run.photos, "Folder that the names are relative to")->required();
  command->add_option("--landmarks", run.landmarks, "The photos and their landmarks")->required();
  command->add_option("--haar-dir", run.haar_dir, "Folder of the cascades")->capture_default_str();
  command->add_option("--teacher", run.teacher, "What found the given landmarks, in words");
  command->add_flag("--skip-missing", run.skip_missing,
                    "Leave out photos that are not there; without it they are an error");
  return {.app = command,
          .run = [options](std::ostream& out) { return RunFitLandmarks(*options, out); }};
}

}  // namespace facegate
