#include "trainer/command/ring.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <system_error>

#include "trainer/photos/idx_file.h"
#include "trainer/ring/ring_network.h"
#include "trainer/ring/ring_run.h"

namespace facegate {
namespace {

struct RingCommandOptions {
  RingRunOptions run{};
  int threads = 2;
  bool json = false;
};

// Minutes of training should not end in a file that cannot be written.
Status CheckOptions(const RingRunOptions& options) {
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

void PrintTable(const RingCommandOptions& options, const RingRunReport& report, std::ostream& out) {
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
  out << fmt::format("{:<34}{}\n", "figure", options.run.out);
  out << fmt::format("{:<34}{:.1f} s\n", "time", report.seconds);
}

nlohmann::ordered_json JsonOf(const RingResult& result) {
  return {{"accuracy", result.accuracy},
          {"mean_intra_class_degrees", result.measure.intra_class_angle},
          {"smallest_inter_class_degrees", result.measure.smallest_inter_class_angle}};
}

void PrintJson(const RingCommandOptions& options, const RingRunReport& report, std::ostream& out) {
  const RingTrainingOptions& training = options.run.training;
  nlohmann::ordered_json json;
  json["train_digits"] = report.train_digits;
  json["test_digits"] = report.test_digits;
  json["network"] = training.network;
  json["seed"] = training.seed;
  json["epochs"] = training.epochs;
  json["margin"] = training.margin;
  json["scale"] = training.scale;
  json["threads"] = options.threads;
  json["softmax"] = JsonOf(report.softmax);
  json["arcface"] = JsonOf(report.arcface);
  json["figure"] = options.run.out;
  json["seconds"] = report.seconds;
  out << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

Status RunRing(const RingCommandOptions& options, std::ostream& out) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options.run));
  const Session session({.out = out,
                         .progress = std::cerr,
                         .terminal = ::isatty(STDERR_FILENO) == 1,
                         .threads = options.threads});
  FACEGATE_ASSIGN_OR_RETURN(const RingRunReport report, DrawRings(options.run, session));
  if (options.json) {
    PrintJson(options, report, out);
  } else {
    PrintTable(options, report, out);
  }
  return OkStatus();
}

}  // namespace

TrainCommand AddRingCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "ring", "Shows on MNIST what a margin does: two trainings, one figure, a few minutes");
  command->footer(
      "Trains a network that embeds digits in the plane, once with softmax and once with "
      "ArcFace, and\ndraws what each makes of the test digits. The same options give the same "
      "figures. It computes on the CPU.\nMNIST's files, as they are published or unpacked:\n"
      "  train-images-idx3-ubyte.gz  train-labels-idx1-ubyte.gz\n"
      "  t10k-images-idx3-ubyte.gz   t10k-labels-idx1-ubyte.gz\n"
      "\n"
      "Examples:\n"
      "  facegate-train ring --mnist mnist/\n"
      "  facegate-train ring --mnist mnist/ --out ring2.png --seed 2 --margin 0.3 --json\n"
      "  facegate-train ring --mnist mnist/ --network resnet-18-plane-2 --digits 6000 --epochs 2");
  const auto options = std::make_shared<RingCommandOptions>();
  RingTrainingOptions& training = options->run.training;
  command->add_option("--mnist", options->run.mnist, "Folder with MNIST's four files");
  command->add_option("-o,--out,--output", options->run.out, "PNG to write")->capture_default_str();
  command->add_option("--tensorboard", options->run.events,
                      "Folder for TensorBoard's events: the plane after each epoch");
  command
      ->add_option("--network", training.network,
                   "small, or resnet-18-plane-2, which enlarges digits to 160x160: hours on a CPU")
      ->check(CLI::IsMember(RingNetworkNames()))
      ->capture_default_str();
  command
      ->add_option("--digits", options->run.digits,
                   "Only the first so many digits of the training half; 0: all")
      ->capture_default_str();
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
  command->add_flag("--json", options->json, "The result as a JSON object");
  return {.app = command, .run = [options](std::ostream& out) { return RunRing(*options, out); }};
}

}  // namespace facegate
