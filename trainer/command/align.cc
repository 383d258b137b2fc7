#include "trainer/command/align.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "face/base/counted.h"
#include "face/base/shown_text.h"
#include "face/image/align.h"
#include "trainer/align/align_job.h"
#include "trainer/command/photo_job_command.h"
#include "trainer/command/photo_options.h"
#include "trainer/photos/shown_name.h"
#include "trainer/run/progress.h"

namespace facegate {
namespace {

constexpr size_t kNamesShown = 5;

constexpr char kAlignFooter[] =
    "SOURCE is a folder with a folder per identity, a list (PATH LABEL, LABEL;PATH or CSV), a "
    "pack, or a set of\nanother format (facegate-train convert --help). Faces are found and cut "
    "out by the code that the server runs,\nso that a network learns from the crops that it will "
    "be served.\n"
    "\n"
    "Sizes:\n"
    "  112x112   the ArcFace crop, which facegate-train fit and nearly all public models take\n"
    "  96x112    the SphereFace crop\n"
    "  128x128   or another size above 112x112, up to 1024x1024: the ArcFace crop in the middle, "
    "and around it\n            what the photo shows, for training that cuts crops at random "
    "places; data.centre_crop: 112 takes\n            the middle\n"
    "  --margin 8 is 8 pixels more at each side of the ArcFace or the SphereFace crop\n"
    "\n"
    "OUT is a folder, which gets IDENTITY/NAME.png, or a pack, where it ends in .pack. "
    "OUT/manifest.csv (of a\npack: OUT.align/manifest.csv) tells of each photo what became of it, "
    "where its face is, how sure the\ndetector was and how fit the face is to be compared; it can "
    "be read as a list of the crops. Photos that\ngive no crop are named there, copied to "
    "OUT.quarantine, and some of them are shown in OUT/dropped.png.\nA run that was interrupted "
    "is continued by the same command.\n"
    "\n"
    "Examples:\n"
    "  facegate-train align photos/ faces/\n"
    "  facegate-train align photos/ faces.pack --yunet yunet.onnx --format jpg\n"
    "  facegate-train align casia.txt --list-root casia/ casia-128/ --size 128x128 --fallback "
    "centre\n"
    "  facegate-train align parties/ faces/ --all --no-quarantine";

struct AlignCommand {
  std::vector<std::string> paths;  // sources, and at last the output
  std::optional<std::string> size;
  int margin = 0;
  std::string format = "png";
  std::optional<std::string> face;
  bool all = false;
  std::string fallback = "none";
  bool no_quarantine = false;
  bool skip_missing = false;
  AlignOptions options;
};

StatusOr<CropView> CropViewOf(const AlignCommand& command) {
  CropView view;
  if (command.size.has_value()) {
    FACEGATE_ASSIGN_OR_RETURN(view.size, SizeFromText("--size", *command.size));
  }
  if (view.size == CropSize(AlignmentTemplate::kSphereFace96x112)) {
    view.alignment = AlignmentTemplate::kSphereFace96x112;
  }
  if (!CheckView(view).ok()) {
    return RefuseField("--size",
                       fmt::format("is {}; expected 112x112, 96x112, or more than 112x112 up to "
                                   "{}x{}",
                                   *command.size, kMostViewSide, kMostViewSide));
  }
  if (command.margin == 0) return view;
  if (view.size != CropSize(view.alignment)) {
    return RefuseField("--margin", "is put around 112x112 or 96x112; a larger --size has one");
  }
  view.size += cv::Size(2 * command.margin, 2 * command.margin);
  if (!CheckView(view).ok()) {
    return RefuseField("--margin",
                       fmt::format("makes crops of {}x{}; expected {}x{} at most", view.size.width,
                                   view.size.height, kMostViewSide, kMostViewSide));
  }
  return view;
}

StatusOr<FaceChoice> ChoiceOf(const AlignCommand& command) {
  if (command.all && command.face.has_value()) {
    return RefuseField("--face", "chooses one face of a photo; leave out --face or --all");
  }
  if (command.all) return FaceChoice::kAll;
  for (const FaceChoice choice : {FaceChoice::kLargest, FaceChoice::kMostProbable}) {
    if (command.face == FaceChoiceName(choice)) return choice;
  }
  return FaceChoice::kCentral;
}

// The options as the command line gives them.
Status Complete(AlignCommand& command) {
  AlignOptions& options = command.options;
  if (command.paths.size() < (options.out.empty() ? 2U : 1U)) {
    return RefuseField("SOURCE", "what is aligned is missing; expected SOURCE... OUT");
  }
  if (options.out.empty()) {
    options.out = command.paths.back();
    command.paths.pop_back();
  }
  if (command.no_quarantine && !options.quarantine.empty()) {
    return RefuseField("--quarantine", "leave out --quarantine or --no-quarantine");
  }
  options.sources = command.paths;
  options.missing = command.skip_missing ? MissingPhotos::kSkip : MissingPhotos::kRefuse;
  FACEGATE_ASSIGN_OR_RETURN(options.cut.view, CropViewOf(command));
  FACEGATE_ASSIGN_OR_RETURN(options.cut.choice, ChoiceOf(command));
  options.cut.fallback = command.fallback == "centre";
  options.format = command.format == "png" ? ImageFormat::kPng : ImageFormat::kJpeg;
  options.use_quarantine = !command.no_quarantine;
  return OkStatus();
}

StatusOr<AlignReport> AlignWithProgress(const AlignOptions& options) {
  std::optional<ProgressBar> progress;
  const auto begin = [&](const char* what, size_t photos) {
    if (progress.has_value()) progress->Finish();
    progress.emplace(std::cerr, ::isatty(STDERR_FILENO) == 1, what, photos);
  };
  const auto advance = [&] { progress->Advance(); };
  const AlignEvents events{
      .resuming = [&](size_t photos) { begin("photos found from before", photos); },
      .found = advance,
      .started = [&](size_t photos) { begin("photos", photos); },
      .done = advance};
  StatusOr<AlignReport> report = AlignPhotos(options, events);
  if (progress.has_value()) progress->Finish();
  return report;
}

// "anna, bob and 3 more".
std::string FirstNames(const std::vector<std::string>& names) {
  std::string text;
  const size_t shown = std::min(names.size(), kNamesShown);
  for (size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + ShownName(names[i]);
  if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

void Print(const AlignCommand& command, const AlignReport& report, std::ostream& out) {
  const auto row = [&](std::string_view name, const std::string& value) {
    out << fmt::format("{:<12}{}\n", name, value);
  };
  const cv::Size size = command.options.cut.view.size;
  for (const std::string& remark : report.remarks) out << ShownText(remark) << "\n";
  row("crops", fmt::format("{}, {}x{} pixels", command.options.out, size.width, size.height));
  row("photos", report.resumed == 0
                    ? std::to_string(report.photos)
                    : fmt::format("{}, {} of them done before", report.photos, report.resumed));
  row("aligned", std::to_string(report.aligned));
  if (report.fallback > 0) {
    row("fallback", fmt::format("{} of the middle of a photo", report.fallback));
  }
  if (report.others > 0) {
    row("left out",
        fmt::format("{} beside others in their photos", Counted(report.others, "face", "faces")));
  }
  row("identities", std::to_string(report.identities));
  if (!report.without.empty()) {
    row("without", fmt::format("{} left without a photo: {}",
                               Counted(report.without.size(), "identity is", "identities are"),
                               FirstNames(report.without)));
  }
  if (report.dropped_photos() > 0) {
    row("dropped",
        fmt::format("{}: {}", CountedPhotos(report.dropped_photos()), report.DroppedText()));
  }
  if (report.quarantine.has_value()) row("quarantine", *report.quarantine);
  if (report.sheet.has_value()) row("sheet", *report.sheet);
  row("manifest", report.manifest);
}

}  // namespace

TrainCommand AddAlignCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "align", "Cuts the faces out of photos, as training and serving take them");
  command->footer(kAlignFooter);
  const auto options = std::make_shared<AlignCommand>();
  command
      ->add_option("PATHS", options->paths,
                   "SOURCE... OUT: sets of photos, and at last the folder or pack to write")
      ->required();
  command->add_option("-o,--out,--output", options->options.out,
                      "The folder or pack to write, instead of the last path");
  command->add_option("--list-root,--root", options->options.list_root,
                      "Folder that paths in lists are relative to; by default the list's own");
  command->add_flag("--skip-missing", options->skip_missing,
                    "Leave out photos of lists that are not there; without it they are an error");
  command->add_option("--size", options->size,
                      "Width and height of the crops, see below; default: 112x112");
  command->add_option("--margin", options->margin, "So many pixels more at each side")
      ->check(CLI::Range(0, kMostViewSide));
  command
      ->add_option("--format", options->format,
                   "png keeps each pixel; jpg (of quality 95) takes a quarter of the room")
      ->check(CLI::IsMember({"png", "jpg"}))
      ->capture_default_str();
  AddFaceFindingOptions(*command, options->options.cut.faces);
  command
      ->add_option("--face", options->face,
                   "Which of several faces in a photo: central, as in eval; largest; or "
                   "most-probable, by the detector's score; default: central")
      ->check(CLI::IsMember({"central", "largest", "most-probable"}));
  command->add_flag("--all", options->all,
                    "All faces, as NAME_0, NAME_1 and so on, the most probable first");
  command
      ->add_option("--fallback", options->fallback,
                   "A photo without a face is left out, or gives its middle (centre), which the "
                   "manifest tells")
      ->check(CLI::IsMember({"none", "centre"}))
      ->capture_default_str();
  command->add_option("--quarantine", options->options.quarantine,
                      "Folder to which photos that give no crop are copied; default: "
                      "OUT.quarantine");
  command->add_flag("--no-quarantine", options->no_quarantine, "They are copied nowhere");
  command->add_option("--threads", options->options.threads, "0: as many as there are cores")
      ->check(CLI::Range(0, kMaxThreads))
      ->capture_default_str();
  return {.app = command, .run = [options](std::ostream& out) -> Status {
            FACEGATE_RETURN_IF_ERROR(Complete(*options));
            FACEGATE_ASSIGN_OR_RETURN(const AlignReport report,
                                      AlignWithProgress(options->options));
            Print(*options, report, out);
            return OkStatus();
          }};
}

}  // namespace facegate
