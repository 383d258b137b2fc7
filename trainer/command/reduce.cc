#include "trainer/command/reduce.h"

#include <fmt/format.h>

#include <memory>
#include <string>

#include "face/base/counted.h"
#include "face/base/shown_text.h"
#include "trainer/command/photo_job_command.h"
#include "trainer/reduce/reduced_set.h"

namespace facegate {
namespace {

struct ReduceCommand {
  std::vector<std::string> paths;  // sources, and at last the output
  bool skip_missing = false;
  ReducedSetOptions options;
};

// The options as the command line gives them.
Status Complete(ReduceCommand& command) {
  ReducedSetOptions& options = command.options;
  if (command.paths.size() < (options.out.empty() ? 2U : 1U)) {
    return RefuseField("SOURCE", "what is made smaller is missing; expected SOURCE... OUT");
  }
  if (options.out.empty()) {
    options.out = command.paths.back();
    command.paths.pop_back();
  }
  options.sources = command.paths;
  options.missing = command.skip_missing ? MissingPhotos::kSkip : MissingPhotos::kRefuse;
  return OkStatus();
}

void Print(const ReducedSetOptions& options, const ReducedSetReport& report, std::ostream& out) {
  for (const std::string& remark : report.remarks) out << ShownText(remark) << "\n";
  PrintRow(out, "pictures", options.out + "/HR");
  for (const int scale : options.scales) {
    PrintRow(out, fmt::format("1/{}", scale), fmt::format("{}/LR_bicubic/X{}", options.out, scale));
  }
  if (report.enlarged) {
    PrintRow(out, "enlarged", fmt::format("{}/SR/X{}", options.out, *report.enlarged));
  }
  PrintRow(out, "photos",
           report.kept == 0
               ? std::to_string(report.photos)
               : fmt::format("{}, {} of them done before", report.photos, report.kept));
  PrintRow(out, "identities", std::to_string(report.identities));
  if (report.cut > 0) {
    PrintRow(out, "cut",
             fmt::format("{} fewer rows or columns, so that each scale divides them{}",
                         Counted(report.cut, "photo has", "photos have"),
                         report.kept == 0 ? "" : " (of those done now)"));
  }
  if (report.bad > 0) {
    PrintRow(out, "bad", fmt::format("{} photos are left out; each is named above", report.bad));
  }
}

Status Reduce(ReduceCommand& command, std::ostream& out) {
  FACEGATE_RETURN_IF_ERROR(Complete(command));
  return RunWithProgress([&](const PhotoJobEvents& events) -> Status {
    FACEGATE_ASSIGN_OR_RETURN(const ReducedSetReport report, ReducePhotos(command.options, events));
    Print(command.options, report, out);
    return OkStatus();
  });
}

}  // namespace

TrainCommand AddReduceCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "reduce", "Makes sets of photos at lower resolution, for networks of super-resolution");
  command->footer(
      "SOURCE is a set of photos of any readable format (facegate-train convert --help). OUT is a "
      "folder, which gets\n"
      "  HR/IDENTITY/NAME.png                 each photo, of sides that all scales divide\n"
      "  LR_bicubic/X2/IDENTITY/NAMEx2.png    it made two times smaller, and so for each scale\n"
      "  SR/X4/IDENTITY/NAME.png              with --super-resolution: the small picture, enlarged "
      "again\n"
      "without loss. Each of these folders is a set of photos itself, to train or to evaluate "
      "with. "
      "With --flat the\npictures are numbered (HR/000001.png, LR_bicubic/X2/000001x2.png), as "
      "trainers of EDSR and RCAN read them.\n"
      "The interpolation is bicubic with a kernel that grows with the scale, as those of Pillow "
      "and MATLAB are; aligned\ncrops of 112x112 pixels are what networks for faces learn from. A "
      "run that was interrupted is continued by\nthe same command.\n"
      "\n"
      "Examples:\n"
      "  facegate-train reduce casia/ casia-sr/ --scale 2,4,8\n"
      "  facegate-train reduce faces.pack pairs/ --scale 4 --flat\n"
      "  facegate-train reduce lfw/ lfw-x4/ --scale 4 --super-resolution rcan-x4.safetensors");
  const auto parsed = std::make_shared<ReduceCommand>();
  ReducedSetOptions& options = parsed->options;
  command
      ->add_option("PATHS", parsed->paths,
                   "SOURCE... OUT: sets of photos, and at last the folder to write")
      ->required();
  command->add_option("-o,--out,--output", options.out,
                      "The folder to write, instead of the last path");
  command
      ->add_option("--scale", options.scales,
                   fmt::format("So many times smaller, 2 to {}, with commas between",
                               ReducedSetOptions::kMostScale))
      ->required()
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_option("--super-resolution", options.network,
                      "A network that import --super-resolution wrote: also writes the pictures "
                      "of its scale as it enlarges them");
  command->add_flag("--flat", options.flat, "Numbered pictures instead of a folder per identity");
  command->add_option("--list-root,--root", options.list_root,
                      "Folder that paths in lists are relative to; by default the list's own");
  command->add_flag("--skip-missing", parsed->skip_missing,
                    "Leave out photos of lists that are not there; without it they are an error");
  command->add_option("--threads", options.threads, "0: as many as there are cores")
      ->check(CLI::Range(0, kMaxThreads))
      ->capture_default_str();
  return {.app = command,
          .run = [parsed](std::ostream& out) -> Status { return Reduce(*parsed, out); }};
}

}  // namespace facegate
