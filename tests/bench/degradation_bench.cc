// Measures what the server would answer about degraded photos: for each kind of degradation how
// often two strangers come out as a match, and how often a person is recognised, refused or told
// that the photo does not do. Ends with 1 where a limit is broken.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "clients/cli/progress.h"
#include "face/image/opencv_threads.h"
#include "tests/bench/degradation_figures.h"
#include "tests/bench/degradation_run.h"

namespace facegate {
namespace {

constexpr double kMostCleanInconclusive = 0.01;

struct BenchOptions {
  std::filesystem::path data{};
  std::vector<std::string> models = {"bundled", "public"};
  std::vector<std::string> detectors = {"haar", "yunet"};
  std::vector<std::string> cells{};  // empty: all
  size_t people = 60;
  QualityPolicy policy{};
  std::string csv{};
  std::string dump{};
  bool clean_all = false;
};

// Files beside the figures; opened before the work begins, so that nothing is lost after it.
struct OutputFiles {
  std::ofstream csv{};   // closed where it was not asked for
  std::ofstream dump{};  // the same
  std::ostream* dump_or_null() { return dump.is_open() ? &dump : nullptr; }
};

StatusOr<OutputFiles> OpenOutputs(const BenchOptions& options) {
  OutputFiles files;
  for (const auto& [path, file] :
       {std::pair(&options.csv, &files.csv), std::pair(&options.dump, &files.dump)}) {
    if (path->empty()) continue;
    file->open(*path);
    if (!*file) return InvalidArgument(fmt::format("{} cannot be written", *path));
  }
  return files;
}

// The end of a full disk shows here.
Status Finish(std::ofstream& file, const std::string& path) {
  if (!file.is_open()) return OkStatus();
  file.close();
  return file ? OkStatus() : Internal(fmt::format("{} could not be written", path));
}

bool OnTerminal() { return ::isatty(STDERR_FILENO) == 1; }

StatusOr<std::vector<Degradation>> CellsOf(const BenchOptions& options) {
  const auto all = DegradationCells();
  if (options.cells.empty()) return std::vector<Degradation>(all.begin(), all.end());
  // The clean photos are what others are compared with.
  std::vector<Degradation> cells = {Degradation{}};
  for (const std::string& name : options.cells) {
    FACEGATE_ASSIGN_OR_RETURN(const Degradation cell, DegradationFromName(name));
    if (cell != Degradation{}) cells.push_back(cell);
  }
  return cells;
}

Status MeasureCells(const BenchOptions& options, OutputFiles& files,
                    std::vector<std::string>& broken) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<Degradation> cells, CellsOf(options));
  FACEGATE_ASSIGN_OR_RETURN(const TwoPhotosEach photos,
                            ReadTwoPhotosEach(options.data, options.people));
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<NamedModel> models,
                            LoadNamedModels(options.models, options.data));
  if (files.dump_or_null() != nullptr) WriteDumpHeader(models, files.dump);
  cli::Progress progress(std::cerr, OnTerminal(),
                         options.detectors.size() * (cells.size() + 1) * photos.probes.size());
  std::vector<CellFigures> figures;
  for (const std::string& detector : options.detectors) {
    FACEGATE_ASSIGN_OR_RETURN(const auto view, ServerView::Create(detector, options.data));
    DegradationRun run(*view, detector, models, photos, options.policy);
    FACEGATE_RETURN_IF_ERROR(run.Prepare([&] { progress.Advance(true); }));
    for (const Degradation& cell : cells) {
      FACEGATE_RETURN_IF_ERROR(run.Measure(
          cell, [&] { progress.Advance(true); }, files.dump_or_null()));
    }
    for (CellFigures& one : run.TakeFigures()) figures.push_back(std::move(one));
  }
  progress.Finish();
  PrintFigures(figures, std::cout);
  if (files.csv.is_open()) WriteFigures(figures, files.csv);
  broken = BrokenLimits(figures);
  return OkStatus();
}

Status MeasureClean(const BenchOptions& options, OutputFiles& files,
                    std::vector<std::string>& broken) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListPhotos(options.data));
  if (names.empty()) return InvalidArgument("there are no photos in lfw/landmarks.txt");
  if (files.dump_or_null() != nullptr) WriteDumpHeader({}, files.dump);
  for (const std::string& detector : options.detectors) {
    FACEGATE_ASSIGN_OR_RETURN(const auto view, ServerView::Create(detector, options.data));
    cli::Progress progress(std::cerr, OnTerminal(), names.size());
    FACEGATE_ASSIGN_OR_RETURN(const AcquisitionCounts counts,
                              AcquireClean(
                                  *view, detector, options.data, names, options.policy.probe,
                                  [&] { progress.Advance(true); }, files.dump_or_null()));
    progress.Finish();
    const auto inconclusive =
        static_cast<double>(counts.below_quality) / static_cast<double>(counts.total());
    std::cout << fmt::format("{}: {} clean photos, {} inconclusive ({:.2f} %), {} without a face\n",
                             detector, counts.total(), counts.below_quality, 100.0 * inconclusive,
                             counts.no_face);
    if (inconclusive > kMostCleanInconclusive) {
      broken.push_back(
          fmt::format("{}: {:.2f} % of the clean photos are inconclusive; limit {:.0f} %", detector,
                      100.0 * inconclusive, 100.0 * kMostCleanInconclusive));
    }
  }
  return OkStatus();
}

Status Measure(const BenchOptions& options, std::vector<std::string>& broken) {
  if (options.clean_all && !options.csv.empty()) {
    return InvalidArgument("--csv has counts of degraded photos, which --clean-all does not make");
  }
  FACEGATE_ASSIGN_OR_RETURN(OutputFiles files, OpenOutputs(options));
  FACEGATE_RETURN_IF_ERROR(options.clean_all ? MeasureClean(options, files, broken)
                                             : MeasureCells(options, files, broken));
  FACEGATE_RETURN_IF_ERROR(Finish(files.csv, options.csv));
  return Finish(files.dump, options.dump);
}

int Main(const BenchOptions& options) {
  SetOpenCvThreads(1);
  std::vector<std::string> broken;
  const Status status = Measure(options, broken);
  if (!status.ok()) {
    std::cerr << "degradation_bench: " << MessageOf(status) << "\n";
    return 2;
  }
  std::cout << (broken.empty() ? "\nAll limits hold.\n"
                               : fmt::format("\n{} limits are broken:\n", broken.size()));
  for (const std::string& line : broken) std::cout << "  " << line << "\n";
  return broken.empty() ? 0 : 1;
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  CLI::App app(
      "Decisions about degraded photos of LFW, as the server makes them at its defaults: two\n"
      "photos of a person each; strangers are all pairs of different people.");
  app.footer(
      "FTA: photos that give no comparable face. Limits: strangers match in at most 0.2 % of the "
      "pairs of\neach kind; turned photos keep 85 % of the upright genuine matches; of genuine "
      "pairs "
      "at most 15 %\n(brightness-0.3, blur-1.5) or 40 % (shrink-60) are inconclusive; of clean "
      "photos 1 %.\n\n"
      "Examples:\n"
      "  degradation_bench --data ~/facegate-data\n"
      "  degradation_bench --data ~/facegate-data --detector yunet --cell turn-90,mask --people "
      "300\n"
      "  degradation_bench --data ~/facegate-data --clean-all\n"
      "  degradation_bench --data ~/facegate-data --model models/mine.safetensors --csv out.csv");
  facegate::BenchOptions options;
  app.add_option("--data", options.data, "Folder with lfw, weights and detectors")
      ->envname("FACEGATE_DATA")
      ->required();
  app.add_option(
         "--model", options.models,
         "bundled, public (weights of --data), or a model file; several one after the other")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--detector", options.detectors, "haar, yunet")
      ->delimiter(',')
      ->check(CLI::IsMember({"haar", "yunet"}))
      ->capture_default_str();
  app.add_option("--cell", options.cells, "Only these degradations, such as blur-1.5,mask")
      ->delimiter(',');
  app.add_option("--people", options.people, "How many people")
      ->check(CLI::Range(2, 1559))
      ->capture_default_str();
  app.add_option("--probe-quality", options.policy.probe,
                 "Least quality of a compared face; 0: there is no gate")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--enrol-quality", options.policy.enrol, "Least quality of an enrolled face")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--csv", options.csv, "Also write the counts here");
  app.add_option("--dump", options.dump,
                 "Also write each photo's measurements and scores here, as CSV");
  app.add_flag("--clean-all", options.clean_all,
               "Only how many of all clean photos are inconclusive");
  CLI11_PARSE(app, argc, argv);
  return facegate::Main(options);
}
