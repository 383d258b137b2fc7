#include "trainer/command/bench.h"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "face/base/counted.h"
#include "face/network/architecture.h"
#include "trainer/photos/open_dataset.h"
#include "trainer/run/progress.h"

namespace facegate {
namespace {

constexpr int kInferenceBatch = 32;

double PicturesPerSecond(const BenchOptions& options, double milliseconds) {
  return 1e3 * static_cast<double>(options.step.batch) / milliseconds;
}

void PrintTable(const BenchOptions& options, const BenchReport& report, std::ostream& out) {
  const StepTimingOptions& step = options.step;
  out << fmt::format("{}, {} pictures a step, {} classes, {} thread{}{}\n\n", step.architecture,
                     step.batch, step.classes, step.threads, step.threads == 1 ? "" : "s",
                     step.fused ? "" : ", LibTorch's own operators");
  out << fmt::format("{:<12}{:>12}{:>10}{:>14}\n", "", "median ms", "share", "pictures/s");
  const StepPartTimes& parts = report.parts;
  const double sum = parts.forward + parts.loss + parts.backward + parts.update;
  const auto row = [&](std::string_view name, double milliseconds) {
    out << fmt::format("{:<12}{:>12.1f}{:>9.1f}%{:>14.1f}\n", name, milliseconds,
                       100.0 * milliseconds / sum, PicturesPerSecond(options, milliseconds));
  };
  row("forward", parts.forward);
  row("loss", parts.loss);
  row("backward", parts.backward);
  row("update", parts.update);
  out << fmt::format("{:<12}{:>12.1f}{:>10}{:>14.1f}\n", "whole step", report.step.step, "",
                     PicturesPerSecond(options, report.step.step));
  out << fmt::format("{:<12}{:>12}{:>10}{:>14.1f}\n", "loader", "", "", report.loader.pictures);
  const auto embed = [&](std::string_view name, double milliseconds, int faces) {
    out << fmt::format("{:<12}{:>12.1f}{:>10}{:>14.1f}\n", name, milliseconds, "",
                       1e3 * faces / milliseconds);
  };
  embed("embed 1", report.inference.single, 1);
  embed(fmt::format("embed {}", kInferenceBatch), report.inference.batch, kInferenceBatch);
  out << fmt::format(
      "\nThe loader decodes, changes ({}) and normalises {} on {} of its own, measured alone.\n"
      "embed: aligned faces in one call, as a server embeds them.\n",
      options.augmentation,
      report.photos == 0 ? std::string("drawn pictures") : CountedPhotos(report.photos),
      Counted(static_cast<size_t>(options.loader_threads), "thread", "threads"));
  if (report.loader.bad > 0) {
    out << fmt::format("{} could not be read.\n", CountedPhotos(report.loader.bad));
  }
}

void PrintJson(const BenchOptions& options, const BenchReport& report, std::ostream& out) {
  const StepTimingOptions& step = options.step;
  nlohmann::ordered_json json;
  json["architecture"] = step.architecture;
  json["batch"] = step.batch;
  json["classes"] = step.classes;
  json["threads"] = step.threads;
  json["fused"] = step.fused;
  json["steps"] = report.step.steps;
  json["step_ms"] = report.step.step;
  json["pictures_per_second"] = PicturesPerSecond(options, report.step.step);
  json["forward_ms"] = report.parts.forward;
  json["loss_ms"] = report.parts.loss;
  json["backward_ms"] = report.parts.backward;
  json["update_ms"] = report.parts.update;
  json["loader_threads"] = options.loader_threads;
  json["loader_pictures_per_second"] = report.loader.pictures;
  json["photos"] = report.photos;
  json["bad_photos"] = report.loader.bad;
  json["embed_1_ms"] = report.inference.single;
  json["embed_batch"] = kInferenceBatch;
  json["embed_batch_ms"] = report.inference.batch;
  out << json.dump(2) << "\n";
}

}  // namespace

StatusOr<BenchReport> MeasureSpeed(const BenchOptions& options) {
  BenchReport report;
  std::unique_ptr<Dataset> photos;
  if (!options.photos.empty()) {
    FACEGATE_ASSIGN_OR_RETURN(photos, OpenDataset(options.photos, options.list_root));
    report.photos = photos->size();
  }
  ProgressBar progress(std::cerr, isatty(STDERR_FILENO) != 0, "measurements", 4);
  FACEGATE_ASSIGN_OR_RETURN(
      report.loader,
      MeasureLoader(
          {.batch = static_cast<size_t>(options.step.batch),
           .threads = options.loader_threads,
           .augment = options.augmentation == "adaface" ? AdaFaceAugmentation() : AugmentOptions{},
           .photos = photos.get()},
          options.seconds));
  progress.Advance();
  FACEGATE_ASSIGN_OR_RETURN(const std::unique_ptr<StepTimer> timer,
                            StepTimer::Create(options.step));
  FACEGATE_ASSIGN_OR_RETURN(report.parts, timer->MeasureParts(options.seconds));
  progress.Advance();
  FACEGATE_ASSIGN_OR_RETURN(report.step, timer->MeasureSteps(options.seconds));
  progress.Advance();
  FACEGATE_ASSIGN_OR_RETURN(report.inference,
                            MeasureInference({.architecture = options.step.architecture,
                                              .batch = kInferenceBatch,
                                              .threads = options.step.threads},
                                             options.seconds));
  progress.Advance();
  progress.Finish();
  return report;
}

TrainCommand AddBenchCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "bench",
      "Measures how many pictures a second this machine learns from and embeds, and where time "
      "goes");
  command->footer(
      "Learns random pictures, which costs as much as photos: neither data nor a model is needed. "
      "--photos lets\nthe loader read your own, from the disk where they are.\n"
      "\n"
      "Examples:\n"
      "  facegate-train bench\n"
      "  facegate-train bench --architecture iresnet-18 --batch 16 --classes 10575 --threads 8\n"
      "  facegate-train bench --photos faces.pack --loader-threads 4\n"
      "  facegate-train bench --seconds 30 --json");
  const auto options = std::make_shared<BenchOptions>();
  const auto json = std::make_shared<bool>(false);
  const auto stock = std::make_shared<bool>(false);
  command->add_option("--architecture", options->step.architecture, "Backbone")
      ->check(CLI::IsMember(ArchitectureNames()))
      ->capture_default_str();
  command->add_option("--batch", options->step.batch, "Pictures of a step")
      ->check(CLI::Range(2, 4096))
      ->capture_default_str();
  command->add_option("--classes", options->step.classes, "Identities that the head tells apart")
      ->check(CLI::Range(2, 10'000'000))
      ->capture_default_str();
  command->add_option("--threads", options->step.threads, "Threads of a step")
      ->check(CLI::Range(1, kMaxThreads))
      ->capture_default_str();
  command->add_option("--loader-threads", options->loader_threads, "Threads of the loader")
      ->check(CLI::Range(1, kMaxThreads))
      ->capture_default_str();
  command->add_option("--photos", options->photos,
                      "Folder, list, pack or a set of another format (facegate-train convert "
                      "--help) that the loader reads instead of drawn pictures");
  command->add_option("--list-root,--root", options->list_root,
                      "Folder that paths in a list are relative to; by default the list's own");
  command->add_option("--augmentation", options->augmentation, "What the loader changes")
      ->check(CLI::IsMember({"flip", "adaface"}))
      ->capture_default_str();
  command->add_option("--seconds", options->seconds, "Time of each of the four measurements")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  command->add_flag("--stock", *stock, "With LibTorch's own operators, to compare");
  command->add_flag("--json", *json, "The result as a JSON object");
  return {.app = command, .run = [options, json, stock](std::ostream& out) {
            options->step.fused = !*stock;
            const StatusOr<BenchReport> report = MeasureSpeed(*options);
            if (report.ok()) {
              *json ? PrintJson(*options, *report, out) : PrintTable(*options, *report, out);
            }
            return report.status();
          }};
}

}  // namespace facegate
