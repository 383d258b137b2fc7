#include "trainer/command/pack.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "face/base/shown_text.h"
#include "trainer/command/photo_job_command.h"

namespace facegate {
namespace {

struct PackCommand {
  PhotoJobArguments arguments;
  PackOptions options;
};

void Print(const PackOptions& options, const PackReport& report, std::ostream& out) {
  for (const std::string& remark : report.remarks) out << ShownText(remark) << "\n";
  PrintRow(out, "pack", options.out);
  PrintRow(out, "photos", std::to_string(report.pack.photos));
  PrintRow(out, "identities", std::to_string(report.identities));
  PrintRow(out, "size", fmt::format("{:.1f} MB", static_cast<double>(report.pack.bytes) / 1e6));
  PrintRow(out, "sha256", report.pack.digest);
  if (report.continued_from > 0) {
    PrintRow(out, "continued",
             fmt::format("an interrupted run had left {} photos", report.continued_from));
  }
  PrintPhotoJob(options, report, out);
}

}  // namespace

Status PackPhotos(const PackOptions& options, bool replace, std::ostream& out) {
  std::error_code error;
  if (std::filesystem::is_directory(options.out, error)) {
    return RefuseField(
        "OUT", fmt::format("{} is a folder; the last path is the pack to write", options.out));
  }
  if (std::filesystem::exists(options.out, error) && !replace) {
    return RefuseField("OUT", fmt::format("{} exists; --replace overwrites it", options.out));
  }
  return RunWithProgress([&](const PhotoJobEvents& events) -> Status {
    FACEGATE_ASSIGN_OR_RETURN(const PackReport report, WritePack(options, events));
    Print(options, report, out);
    return OkStatus();
  });
}

TrainCommand AddPackCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "pack", "Puts the photos of sets of any readable format into one file that is read fast");
  command->footer(
      "SOURCE is a folder with a folder per identity, a list (PATH LABEL, LABEL;PATH or CSV), a "
      "pack, or a\nset of another format (facegate-train convert --help).\nThe photos keep their "
      "bytes. What does not decode is named and left out. A run that was interrupted\nleaves "
      "OUT.pack.partial; the same command continues from there.\n"
      "\n"
      "Examples:\n"
      "  facegate-train pack faces/ faces.pack\n"
      "  facegate-train pack casia.txt --list-root casia/ --min-photos 5 --crop 112x112 "
      "casia.pack\n"
      "  facegate-train pack casia.pack ours/ both.pack");
  const auto parsed = std::make_shared<PackCommand>();
  AddPhotoJobOptions(*command, parsed->arguments, parsed->options);
  return {.app = command, .run = [parsed](std::ostream& out) -> Status {
            FACEGATE_RETURN_IF_ERROR(CompletePhotoJob(parsed->arguments, parsed->options));
            parsed->options.out = parsed->arguments.out;
            return PackPhotos(parsed->options, parsed->arguments.replace, out);
          }};
}

}  // namespace facegate
