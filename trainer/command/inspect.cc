#include "trainer/command/inspect.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "face/base/counted.h"
#include "face/base/file.h"
#include "face/base/shown_text.h"
#include "face/image/encode.h"
#include "face/image/mat_pixels.h"
#include "trainer/command/inspect_model.h"
#include "trainer/inspect/photo_list.h"
#include "trainer/inspect/print_report.h"
#include "trainer/inspect/set_report.h"
#include "trainer/inspect/sheet.h"
#include "trainer/inspect/verdict.h"
#include "trainer/photos/open_dataset.h"
#include "trainer/photos/photo_files.h"
#include "trainer/run/progress.h"

namespace facegate {
namespace {

struct InspectCommand {
  InspectOptions options;
  std::optional<std::string> model;
  std::optional<std::string> sheet;
  std::optional<std::string> quarantine;
  bool json = false;
  bool strict = false;
};

StatusOr<SetReport> InspectWithProgress(const InspectOptions& options, const PhotoSource& source) {
  std::optional<ProgressBar> progress;
  const InspectEvents events{.started =
                                 [&](size_t photos) {
                                   progress.emplace(std::cerr, ::isatty(STDERR_FILENO) == 1,
                                                    "photos", photos);
                                 },
                             .read = [&] { progress->Advance(); }};
  StatusOr<SetReport> report = InspectSet(options, source, events);
  if (progress.has_value()) progress->Finish();
  return report;
}

Status WriteSheet(const std::string& path, const SetReport& report, const PhotoSource& source,
                  const std::string& title) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string png,
                            EncodePng(ViewOf(DrawSetSheet(title, report, source))));
  return WriteFileAtomically(path, png);
}

// A photo in each line: what cannot be read, what lies byte for byte under several identities, and
// what a model doubts. Returns how many it is without.
StatusOr<size_t> WriteQuarantine(const std::string& path, const SetReport& report,
                                 const PhotoSource& source) {
  std::set<size_t> photos;
  for (const UnreadablePhoto& photo : report.unreadable) photos.insert(photo.photo);
  for (const DuplicateGroup& group : report.duplicates) {
    if (!group.identical || !group.across_identities) continue;
    photos.insert(group.photos.begin(), group.photos.end());
  }
  if (report.model_view.has_value()) {
    for (const DoubtedLabel& one : report.model_view->noise.doubted) photos.insert(one.photo);
  }
  std::vector<std::string> names;
  names.reserve(photos.size());
  for (const size_t photo : photos) names.push_back(source.name(photo));
  return WritePhotoList(path, names);
}

// Names the set: by the last part of its path.
std::string TitleOf(const std::string& path) { return WholePath(path).filename().string(); }

// An error where the findings say that the set cannot be trained on as it is; under --strict also
// where it could be better.
Status StatusOf(const std::vector<Finding>& findings, bool strict) {
  const FindingWeight limit = strict ? FindingWeight::kWarning : FindingWeight::kError;
  const auto count = static_cast<size_t>(
      std::ranges::count_if(findings, [limit](const Finding& one) { return one.weight >= limit; }));
  if (count == 0) return OkStatus();
  return InvalidArgument(fmt::format(
      "{}, see above", strict ? Counted(count, "error or warning", "errors and warnings")
                              : Counted(count, "error", "errors")));
}

Status RunInspect(const InspectCommand& command, std::ostream& out) {
  const InspectOptions& options = command.options;
  FACEGATE_ASSIGN_OR_RETURN(const std::unique_ptr<PhotoSource> source,
                            OpenPhotoSource(options.path, options.list_root));
  if (!command.json) {
    for (const std::string& remark : source->remarks()) out << ShownText(remark) << "\n";
    out.flush();
  }
  FACEGATE_ASSIGN_OR_RETURN(SetReport report, InspectWithProgress(options, *source));
  // What was found without the model is told where the model cannot be used, too.
  Status viewed;
  if (command.model.has_value()) {
    auto view = ViewByModel(*command.model, *source, options.threads);
    viewed = view.status();
    if (view.ok()) report.model_view = *std::move(view);
  }
  const std::vector<Finding> findings = JudgeSet(report);
  command.json ? PrintSetReportJson(report, *source, findings, out)
               : PrintSetReport(report, *source, findings, out);
  if (command.sheet.has_value()) {
    const std::string title = fmt::format("{}: {} photos, {} identities", TitleOf(options.path),
                                          report.photos, report.identities);
    FACEGATE_RETURN_IF_ERROR(WriteSheet(*command.sheet, report, *source, title));
  }
  // A list that is without what the model doubts replaces none that may have it.
  FACEGATE_RETURN_IF_ERROR(viewed);
  if (command.quarantine.has_value()) {
    FACEGATE_ASSIGN_OR_RETURN(const size_t without,
                              WriteQuarantine(*command.quarantine, report, *source));
    if (without > 0) {
      (command.json ? std::cerr : out) << "warning: " << NotListedText(without) << "\n";
    }
  }
  return StatusOf(findings, command.strict);
}

}  // namespace

TrainCommand AddInspectCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "inspect", "Looks through photos for training and says what is wrong with them");
  command->footer(
      "PATH is a folder with a folder per identity, a list (PATH LABEL, LABEL;PATH or CSV), a "
      "pack, "
      "or a set of\nanother format (facegate-train convert --help). Every photo is decoded. "
      "Duplicates are found byte for byte\nand by a hash of the picture that outlives re-encoding "
      "and scaling; the same picture under two identities\nis a wrong label. The exit code is 1 "
      "where the verdict has errors, which must be fixed before\n"
      "training.\n"
      "\n"
      "Examples:\n"
      "  facegate-train inspect faces/\n"
      "  facegate-train inspect casia.txt --list-root casia/ --sheet casia.png --quarantine "
      "bad.txt\n"
      "  facegate-train inspect --model model.safetensors --quarantine wrong.txt faces/\n"
      "  facegate-train inspect --json --strict faces.pack");
  const auto options = std::make_shared<InspectCommand>();
  command
      ->add_option("PATH", options->options.path, "Folder, list, pack or a set of another format")
      ->required();
  command->add_option("--list-root,--root", options->options.list_root,
                      "Folder that paths in a list are relative to; by default the list's own");
  command->add_option("--model", options->model,
                      "A model file that embeds the photos, which are aligned crops: says which "
                      "are probably of somebody else, which identities are one person, and which "
                      "are two");
  command->add_option("-o,--sheet,--out", options->sheet,
                      "Write a page with some photos and all that are suspicious, as a PNG file");
  command->add_option("--quarantine", options->quarantine,
                      "Write the names of photos that cannot be read, that lie under several "
                      "identities byte for byte, or that --model doubts, one a line");
  command->add_option("--threads", options->options.threads, "That read and decode the photos")
      ->check(CLI::Range(1, kMaxThreads))
      ->capture_default_str();
  command->add_flag("--json", options->json, "The result as a JSON object, nothing cut");
  command->add_flag("--strict", options->strict, "Exit with 1 for warnings, too");
  return {.app = command,
          .run = [options](std::ostream& out) { return RunInspect(*options, out); }};
}

}  // namespace facegate
