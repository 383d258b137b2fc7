#include "trainer/command/drop.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "face/base/counted.h"
#include "face/base/shown_text.h"
#include "trainer/command/recipe_settings.h"
#include "trainer/inspect/far_photos.h"
#include "trainer/inspect/photo_list.h"
#include "trainer/photos/photo_files.h"
#include "trainer/photos/shown_name.h"
#include "trainer/run/run_centers.h"
#include "trainer/run/session.h"

namespace facegate {
namespace {

constexpr size_t kClassesShown = 20;
constexpr size_t kFewestLeft = 2;  // photos of an identity to learn from
constexpr size_t kBarLength = 40;
constexpr double kSuspectShare = 0.5;

constexpr char kDropFooter[] =
    "Training with several centres for each identity (head.sub_centers=3) gathers photos under a "
    "wrong name around\ncentres of their own. drop reads the centres and the network out of the "
    "newest checkpoint of RUN, or out of the one\nthat is named, and embeds the photos that the "
    "run learned from, and those of holdout.share and holdout.folds. The\ncentre that most photos "
    "of an identity are nearest to is its dominant one; photos whose angle to it is above\n--angle "
    "go into LIST, with those that the run had left out already. Photos that were kept from "
    "training are farther away\nwithout being wrong: they are counted by themselves, and listed "
    "with --kept only; angles and identities are of the\nphotos trained on. Train again with LIST "
    "and with one centre (sub-centre ArcFace, Deng et al., 2020). After little\ntraining all "
    "angles are large: train to the end first.\n"
    "Where the photos lie elsewhere now, --data or --set data.root=… says so; they must be the "
    "same.\n"
    "\n"
    "Examples:\n"
    "  facegate-train fit runs/a --recipe base.yaml --set head.sub_centers=3\n"
    "  facegate-train drop runs/a --out wrong.txt\n"
    "  facegate-train fit runs/b --recipe base.yaml --set data.leave_out=wrong.txt\n"
    "  facegate-train drop runs/a/checkpoints/batch-000020000.safetensors --data faces/ --angle 70 "
    "--json";

struct DropCommand {
  std::string run{};
  std::vector<std::string> data{};      // in place of data.train
  std::vector<std::string> settings{};  // of --set
  double angle = 75.0;
  std::optional<std::string> out{};
  bool kept = false;  // lists photos that were kept from training, too
  bool json = false;
};

struct DropReport {
  std::string checkpoint{};  // its path
  RunCenters run{};
  FarPhotos far{};
  std::vector<std::string> warnings{};

  size_t photos() const { return run.photos.size(); }
  size_t kept() const { return photos() - run.trained; }
  // Far ones, of those trained on and of those kept from training.
  size_t far_trained() const {
    return static_cast<size_t>(std::ranges::lower_bound(far.photos, run.trained) -
                               far.photos.begin());
  }
  size_t far_kept() const { return far.photos.size() - far_trained(); }
  // Of those trained on.
  double share() const {
    return run.trained == 0 ? 0.0
                            : static_cast<double>(far_trained()) / static_cast<double>(run.trained);
  }
};

// The identities that would be left with too few photos to learn from, without those that are far.
size_t EmptiedIdentities(const DropReport& report) {
  std::vector<size_t> left(report.far.classes.size(), 0);
  std::vector<bool> loses(left.size(), false);
  for (size_t i = 0; i < report.run.trained; ++i) left[report.run.labels[i]] += 1;
  for (size_t i = 0; i < report.far_trained(); ++i) {
    const uint32_t label = report.run.labels[report.far.photos[i]];
    left[label] -= 1;
    loses[label] = true;
  }
  size_t emptied = 0;
  for (size_t c = 0; c < left.size(); ++c) emptied += loses[c] && left[c] < kFewestLeft ? 1 : 0;
  return emptied;
}

std::vector<std::string> DropWarnings(const DropReport& report) {
  std::vector<std::string> warnings;
  if (report.run.centers == 1) {
    warnings.emplace_back(
        "the head has one centre for each identity, which photos under a wrong name have pulled "
        "away: more of them are found after a training with head.sub_centers=3");
  }
  if (report.share() > kSuspectShare) {
    warnings.push_back(fmt::format(
        "{} of the photos trained on are far: the run has learned too little, or the angle is too "
        "small",
        PercentText(report.share())));
  }
  const size_t emptied = EmptiedIdentities(report);
  if (emptied > 0) {
    warnings.push_back(
        fmt::format("{} would be left with fewer than {} photos (data.min_photos "
                    "leaves them out altogether)",
                    Counted(emptied, "identity", "identities"), kFewestLeft));
  }
  return warnings;
}

StatusOr<Recipe> RecipeToDropBy(const DropCommand& command, const std::string& run) {
  Recipe recipe;
  FACEGATE_RETURN_IF_ERROR(ReadRecipe(run + "/recipe.yaml", recipe));
  FACEGATE_RETURN_IF_ERROR(SetFromCommandLine(command.settings, recipe));
  if (!command.data.empty()) recipe.data.train.clear();
  // Paths of the command line: data.root does not count.
  for (const std::string& path : command.data) {
    recipe.data.train.push_back(WholePath(path).string());
  }
  recipe.machine.processes = 1;  // which compares all photos, however many processes trained
  return SpelledOut(std::move(recipe));
}

StatusOr<DropReport> FindDropped(const DropCommand& command) {
  DropReport report;
  FACEGATE_ASSIGN_OR_RETURN(const RunCheckpoint found, FindCheckpoint(command.run));
  report.checkpoint = found.path;
  FACEGATE_ASSIGN_OR_RETURN(const Recipe recipe, RecipeToDropBy(command, found.run));
  Session session({.out = std::cerr,
                   .progress = std::cerr,
                   .terminal = ::isatty(STDERR_FILENO) == 1,
                   .threads = static_cast<int>(recipe.machine.threads)});
  FACEGATE_ASSIGN_OR_RETURN(report.run, CompareWithCenters(found.path, recipe, session));
  if (report.run.photos.empty()) {
    return InvalidArgument(fmt::format("none of the photos of {} can be used", found.run));
  }
  const CenterCosines cosines{.centers = report.run.centers,
                              .classes = report.run.identities.size(),
                              .trained = report.run.trained,
                              .cosines = report.run.cosines,
                              .labels = report.run.labels};
  FACEGATE_ASSIGN_OR_RETURN(report.far, FindFarPhotos(cosines, command.angle));
  report.warnings = DropWarnings(report);
  return report;
}

// A list without a photo that stays would leave nothing to train with.
Status CheckSomeStay(const DropReport& report, double angle) {
  if (report.far_trained() < report.run.trained) return OkStatus();
  return FailedPrecondition(
      fmt::format("all {} are farther than {:g} degrees from the centres of "
                  "their identities: the run has learned too little",
                  CountedPhotos(report.run.trained), angle));
}

// Returns how many it is without.
StatusOr<size_t> WriteDropList(const DropCommand& command, const DropReport& report) {
  std::vector<std::string> names = report.run.left_out;
  const size_t listed = command.kept ? report.far.photos.size() : report.far_trained();
  for (size_t i = 0; i < listed; ++i) names.push_back(report.run.photos[report.far.photos[i]]);
  return WritePhotoList(*command.out, names);
}

// The identities with far photos, those with the most first.
std::vector<size_t> ClassesWithFar(const FarPhotos& far) {
  std::vector<size_t> classes;
  for (size_t c = 0; c < far.classes.size(); ++c) {
    if (far.classes[c].far > 0) classes.push_back(c);
  }
  std::ranges::stable_sort(
      classes, [&](size_t a, size_t b) { return far.classes[a].far > far.classes[b].far; });
  return classes;
}

void PrintAngles(const FarPhotos& far, std::ostream& out) {
  out << "\nangle to the dominant centre\n";
  const size_t most = *std::ranges::max_element(far.histogram);
  for (size_t bin = 0; bin < FarPhotos::kBins; ++bin) {
    const size_t count = far.histogram[bin];
    const size_t length = most == 0 ? 0 : (kBarLength * count + most - 1) / most;
    const double begin = FarPhotos::kBinDegrees * static_cast<double>(bin);
    out << fmt::format("  {:>3.0f} to {:>3.0f} degrees  {:>8}{}{}\n", begin,
                       begin + FarPhotos::kBinDegrees, count, length > 0 ? "  " : "",
                       std::string(length, '#'));
  }
}

void PrintClasses(const DropReport& report, std::ostream& out) {
  const std::vector<size_t> classes = ClassesWithFar(report.far);
  if (classes.empty()) return;
  out << fmt::format("\nfar photos of {} of {}; photos nearest to each centre\n", classes.size(),
                     Counted(report.far.classes.size(), "identity", "identities"));
  for (size_t i = 0; i < std::min(classes.size(), kClassesShown); ++i) {
    const FarPhotos::Class& one = report.far.classes[classes[i]];
    out << fmt::format("  {:>6} of {:>6}  {}  ({})\n", one.far, one.photos,
                       ShownName(report.run.identities[classes[i]]), fmt::join(one.nearest, ", "));
  }
  if (classes.size() > kClassesShown) {
    out << fmt::format("  … and {} more; --json has them all\n", classes.size() - kClassesShown);
  }
}

void PrintDrop(const DropCommand& command, const DropReport& report, std::ostream& out) {
  const auto row = [&](std::string_view name, const std::string& value) {
    out << fmt::format("{:<14}{}\n", name, ShownText(value));
  };
  row("checkpoint", report.checkpoint);
  row("photos", fmt::format("{} of {}, {} each", report.run.trained,
                            Counted(report.far.classes.size(), "identity", "identities"),
                            Counted(report.run.centers, "centre")));
  if (!report.run.unusable.empty()) {
    row("not compared", fmt::format("{}, such as: {}", CountedPhotos(report.run.unusable.size()),
                                    report.run.unusable.front()));
  }
  PrintAngles(report.far, out);
  PrintClasses(report, out);
  out << "\n";
  row("far", fmt::format("{} ({}) above {:g} degrees", CountedPhotos(report.far_trained()),
                         PercentText(report.share()), command.angle));
  if (report.kept() > 0) {
    row("far of kept",
        fmt::format("{} of {} that training did not see{}", report.far_kept(),
                    CountedPhotos(report.kept()), command.kept ? "" : "; --kept lists them, too"));
  }
  for (const std::string& warning : report.warnings) row("warning", warning);
  if (!command.out.has_value()) return;
  row("list", fmt::format("{}{}", WholePath(*command.out).string(),
                          report.run.left_out.empty()
                              ? ""
                              : fmt::format(", with {} that the run had left out",
                                            CountedPhotos(report.run.left_out.size()))));
}

void PrintDropJson(const DropCommand& command, const DropReport& report, std::ostream& out) {
  using Json = nlohmann::ordered_json;
  Json identities = Json::array();
  for (size_t c = 0; c < report.far.classes.size(); ++c) {
    const FarPhotos::Class& one = report.far.classes[c];
    identities.push_back({{"name", report.run.identities[c]},
                          {"photos", one.photos},
                          {"far", one.far},
                          {"dominant", one.dominant},
                          {"nearest", one.nearest}});
  }
  Json far = Json::array();
  for (const size_t photo : report.far.photos) {
    far.push_back({{"photo", report.run.photos[photo]},
                   {"degrees", report.far.degrees[photo]},
                   {"kept", photo >= report.run.trained}});
  }
  const Json json{{"checkpoint", report.checkpoint},
                  {"centers", report.run.centers},
                  {"angle", command.angle},
                  {"photos", report.run.trained},
                  {"far", report.far_trained()},
                  {"kept", report.kept()},
                  {"far_kept", report.far_kept()},
                  {"share", report.share()},
                  {"histogram_degrees", FarPhotos::kBinDegrees},
                  {"histogram", report.far.histogram},
                  {"identities", identities},
                  {"far_photos", far},
                  {"left_out_before", report.run.left_out.size()},
                  {"unusable", report.run.unusable},
                  {"warnings", report.warnings}};
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

Status RunDrop(const DropCommand& command, std::ostream& out) {
  if (command.kept && !command.out.has_value()) {
    return RefuseField("--kept", "says what the list has, but no --out says where to write it");
  }
  FACEGATE_ASSIGN_OR_RETURN(DropReport report, FindDropped(command));
  if (command.out.has_value()) {
    FACEGATE_RETURN_IF_ERROR(CheckSomeStay(report, command.angle));
    FACEGATE_ASSIGN_OR_RETURN(const size_t without, WriteDropList(command, report));
    if (without > 0) report.warnings.push_back(NotListedText(without));
  }
  command.json ? PrintDropJson(command, report, out) : PrintDrop(command, report, out);
  return OkStatus();
}

}  // namespace

TrainCommand AddDropCommand(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("drop", "Finds photos under a wrong name by the centres of a training");
  command->footer(kDropFooter);
  const auto parsed = std::make_shared<DropCommand>();
  command->add_option("RUN", parsed->run, "Folder of a run of fit, or one of its checkpoints")
      ->required();
  command
      ->add_option("--data", parsed->data,
                   "Where the photos of the run lie now, in place of its data.train")
      ->take_all()
      ->allow_extra_args(false);
  command
      ->add_option("--set", parsed->settings,
                   "SECTION.KEY=VALUE, in place of what the run's recipe says: data.root, "
                   "machine.device, machine.threads")
      ->take_all()
      ->allow_extra_args(false);
  command
      ->add_option("--angle", parsed->angle, "The largest angle, in degrees, of photos that stay")
      ->check(CLI::Range(0.0, 180.0))
      ->capture_default_str();
  command->add_option("-o,--out", parsed->out,
                      "File to write: a photo in each line, for data.leave_out");
  command->add_flag("--kept", parsed->kept,
                    "List far photos that were kept from training (holdout.share, holdout.folds of "
                    "photos), too");
  command->add_flag("--json", parsed->json, "The result as a JSON object, nothing cut");
  return {.app = command, .run = [parsed](std::ostream& out) { return RunDrop(*parsed, out); }};
}

}  // namespace facegate
