#include "trainer/command/ring.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "face/base/catch.h"
#include "face/base/file.h"
#include "face/base/mutex.h"
#include "face/image/encode.h"
#include "face/image/mat_pixels.h"
#include "trainer/ring/ring_figure.h"
#include "trainer/run/progress.h"

namespace facegate {
namespace {

// Minutes of training should not end in a file that cannot be written.
Status CheckOptions(const RingOptions& options) {
  if (options.mnist.empty()) {
    return RefuseField("--mnist",
                       fmt::format("is missing: the folder with the digits. {}", kMnistSource));
  }
  const std::filesystem::path folder = std::filesystem::path(options.out).parent_path();
  std::error_code error;
  if (!folder.empty() && !std::filesystem::is_directory(folder, error)) {
    return RefuseField("--out", fmt::format("the folder {} does not exist", folder.string()));
  }
  return OkStatus();
}

struct Trained {
  StatusOr<RingResult> softmax = Internal("not trained");
  StatusOr<RingResult> arcface = Internal("not trained");
};

Trained TrainBoth(const RingOptions& options, const DigitSet& train, const DigitSet& test) {
  RingTrainingOptions plain = options.training;
  plain.arcface = false;
  plain.threads = std::max(1, options.threads / 2);
  RingTrainingOptions margin = plain;
  margin.arcface = true;

  Mutex mutex;
  ProgressBar progress(std::cerr, ::isatty(STDERR_FILENO) == 1, "steps",
                       RingTrainingSteps(plain, train) + RingTrainingSteps(margin, train));
  const auto advance = [&] {
    const MutexLock lock(mutex);
    progress.Advance();
  };
  Trained trained;
  const auto train_plain = [&] { trained.softmax = TrainRing(plain, train, test, advance); };
  if (options.threads >= 2) {
    const std::jthread other(train_plain);
    trained.arcface = TrainRing(margin, train, test, advance);
  } else {
    train_plain();
    trained.arcface = TrainRing(margin, train, test, advance);
  }
  progress.Finish();
  return trained;
}

RingPanel PanelOf(std::string title, const RingResult& result, const DigitSet& test) {
  return {.title = std::move(title),
          .figures = fmt::format(
              "accuracy {:.2f} %     within a class {:.2f}\u00b0     nearest classes {:.1f}\u00b0",
              100.0 * result.accuracy, result.measure.intra_class_angle,
              result.measure.smallest_inter_class_angle),
          .embeddings = result.embeddings,
          .labels = test.labels,
          .directions = result.measure.directions};
}

Status WriteFigure(const RingOptions& options, const RingReport& report, const DigitSet& test) {
  const RingTrainingOptions& training = options.training;
  const RingFigure figure{
      .title = "What an angular margin does to embeddings",
      .subtitle = fmt::format("{} test digits of MNIST in the plane, as the same small network "
                              "embeds them after {} epochs (seed {})",
                              test.size(), training.epochs, training.seed),
      .panels = {
          PanelOf("Softmax", report.softmax, test),
          PanelOf(fmt::format("ArcFace, margin {:g}, scale {:g}", training.margin, training.scale),
                  report.arcface, test)}};
  return CatchToStatus("drawing the rings", [&]() -> Status {
    FACEGATE_ASSIGN_OR_RETURN(const std::string png, EncodePng(ViewOf(DrawRingFigure(figure))));
    return WriteFileAtomically(options.out, png);
  });
}

void PrintTable(const RingOptions& options, const RingReport& report, std::ostream& out) {
  const auto row = [&](std::string_view name, double softmax, double arcface, std::string_view unit,
                       int digits) {
    out << fmt::format("{:<34}{:>10.{}f}{:>10.{}f} {}\n", name, softmax, digits, arcface, digits,
                       unit);
  };
  const RingMeasure& plain = report.softmax.measure;
  const RingMeasure& margin = report.arcface.measure;
  out << fmt::format("{:<34}{:>10}{:>10}\n", "", "softmax", "ArcFace");
  row(fmt::format("accuracy on {} test digits", report.test_digits),
      100.0 * report.softmax.accuracy, 100.0 * report.arcface.accuracy, "%", 2);
  row("mean angle within a class", plain.intra_class_angle, margin.intra_class_angle, "degrees", 3);
  row("smallest angle between classes", plain.smallest_inter_class_angle,
      margin.smallest_inter_class_angle, "degrees", 2);
  out << fmt::format("{:<34}{}\n", "figure", options.out);
  out << fmt::format("{:<34}{:.1f} s\n", "time", report.seconds);
}

nlohmann::ordered_json JsonOf(const RingResult& result) {
  return {{"accuracy", result.accuracy},
          {"mean_intra_class_degrees", result.measure.intra_class_angle},
          {"smallest_inter_class_degrees", result.measure.smallest_inter_class_angle}};
}

void PrintJson(const RingOptions& options, const RingReport& report, std::ostream& out) {
  const RingTrainingOptions& training = options.training;
  nlohmann::ordered_json json;
  json["train_digits"] = report.train_digits;
  json["test_digits"] = report.test_digits;
  json["seed"] = training.seed;
  json["epochs"] = training.epochs;
  json["margin"] = training.margin;
  json["scale"] = training.scale;
  json["threads"] = options.threads;
  json["softmax"] = JsonOf(report.softmax);
  json["arcface"] = JsonOf(report.arcface);
  json["figure"] = options.out;
  json["seconds"] = report.seconds;
  out << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

}  // namespace

StatusOr<RingReport> DrawRings(const RingOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  const auto start = std::chrono::steady_clock::now();
  FACEGATE_ASSIGN_OR_RETURN(const DigitSet train, ReadDigits(options.mnist, DigitPart::kTrain));
  FACEGATE_ASSIGN_OR_RETURN(const DigitSet test, ReadDigits(options.mnist, DigitPart::kTest));
  Trained trained = TrainBoth(options, train, test);
  RingReport report{.train_digits = train.size(), .test_digits = test.size()};
  FACEGATE_ASSIGN_OR_RETURN(report.softmax, std::move(trained.softmax));
  FACEGATE_ASSIGN_OR_RETURN(report.arcface, std::move(trained.arcface));
  FACEGATE_RETURN_IF_ERROR(WriteFigure(options, report, test));
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

TrainCommand AddRingCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "ring", "Shows on MNIST what a margin does: two trainings, one figure, a few minutes");
  command->footer(
      "Trains a small network that embeds digits in the plane, once with softmax and once with "
      "ArcFace, and\ndraws what each makes of the test digits. The same options give the same "
      "figures. MNIST's files, as\nthey are published or unpacked:\n"
      "  train-images-idx3-ubyte.gz  train-labels-idx1-ubyte.gz\n"
      "  t10k-images-idx3-ubyte.gz   t10k-labels-idx1-ubyte.gz\n"
      "\n"
      "Examples:\n"
      "  facegate-train ring --mnist mnist/\n"
      "  facegate-train ring --mnist mnist/ --out ring2.png --seed 2 --margin 0.3 --json");
  const auto options = std::make_shared<RingOptions>();
  const auto json = std::make_shared<bool>(false);
  RingTrainingOptions& training = options->training;
  command->add_option("--mnist", options->mnist, "Folder with MNIST's four files");
  command->add_option("-o,--out,--output", options->out, "PNG to write")->capture_default_str();
  command->add_option("--seed", training.seed, "Of weights and order")->capture_default_str();
  command->add_option("--epochs", training.epochs, "Times that each digit is seen")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--batch", training.batch, "Digits a step")
      ->check(CLI::Range(2, 4096))
      ->capture_default_str();
  command->add_option("--learning-rate", training.learning_rate, "The highest, after the warm-up")
      ->check(CLI::Range(1e-6, 10.0))
      ->capture_default_str();
  command->add_option("--margin", training.margin, "ArcFace's m, radians")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option("--scale", training.scale, "ArcFace's s")
      ->check(CLI::Range(1.0, 256.0))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "From two on both trainings run side by side")
      ->check(CLI::Range(1, kMaxThreads))
      ->capture_default_str();
  command->add_flag("--json", *json, "The result as a JSON object");
  return {.app = command, .run = [options, json](std::ostream& out) -> Status {
            FACEGATE_ASSIGN_OR_RETURN(const RingReport report, DrawRings(*options));
            *json ? PrintJson(*options, report, out) : PrintTable(*options, report, out);
            return OkStatus();
          }};
}

}  // namespace facegate
