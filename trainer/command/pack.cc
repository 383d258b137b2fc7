#include "trainer/command/pack.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "trainer/photos/pack_job.h"
#include "trainer/run/progress.h"

namespace facegate {
namespace {

constexpr int kMaxSide = 32766;

struct PackCommand {
  std::vector<std::string> paths;  // sources, and at last the pack
  std::optional<std::string> crop;
  bool replace = false;
  bool skip_missing = false;
  PackOptions options;
};

// The options as the command line gives them.
Status Complete(PackCommand& command) {
  PackOptions& options = command.options;
  if (command.paths.size() < (options.out.empty() ? 2U : 1U)) {
    return RefuseField("SOURCE", "what is packed is missing; expected SOURCE... OUT.pack");
  }
  if (options.out.empty()) {
    options.out = command.paths.back();
    command.paths.pop_back();
  }
  options.sources = command.paths;
  options.missing = command.skip_missing ? MissingPhotos::kSkip : MissingPhotos::kRefuse;
  if (command.crop.has_value()) {
    FACEGATE_ASSIGN_OR_RETURN(options.crop, SizeFromText("--crop", *command.crop));
  }
  std::error_code error;
  if (std::filesystem::is_directory(options.out, error)) {
    return RefuseField(
        "OUT", fmt::format("{} is a folder; the last path is the pack to write", options.out));
  }
  if (std::filesystem::exists(options.out, error) && !command.replace) {
    return RefuseField("OUT", fmt::format("{} exists; --replace overwrites it", options.out));
  }
  return OkStatus();
}

StatusOr<PackReport> PackWithProgress(const PackOptions& options) {
  std::optional<ProgressBar> progress;
  const PackEvents events{
      .started =
          [&](size_t photos) {
            progress.emplace(std::cerr, ::isatty(STDERR_FILENO) == 1, "photos", photos);
          },
      .read = [&] { progress->Advance(); },
      .bad_photo =
          [&](const Status& bad) { std::cerr << "left out: " << MessageOf(bad) << std::endl; }};
  StatusOr<PackReport> report = WritePack(options, events);
  if (progress.has_value()) progress->Finish();
  return report;
}

void Print(const PackOptions& options, const PackReport& report, std::ostream& out) {
  const auto row = [&](std::string_view name, const std::string& value) {
    out << fmt::format("{:<14}{}\n", name, value);
  };
  for (const std::string& remark : report.remarks) out << remark << "\n";
  row("pack", options.out);
  row("photos", std::to_string(report.pack.photos));
  row("identities", std::to_string(report.identities));
  row("size", fmt::format("{:.1f} MB", static_cast<double>(report.pack.bytes) / 1e6));
  row("sha256", report.pack.digest);
  if (report.continued_from > 0) {
    row("continued", fmt::format("an interrupted run had left {} photos", report.continued_from));
  }
  if (report.renamed_identities > 0) {
    row("renamed", fmt::format("{} identities have the name of their source in front, as another "
                               "source has the same name",
                               report.renamed_identities));
  }
  if (report.small_identities > 0) {
    row("left out",
        fmt::format("{} identities with fewer than {} readable photos ({} photos)",
                    report.small_identities, options.min_photos, report.photos_of_small));
  }
  if (report.bad_photos > 0) {
    row("bad", fmt::format("{} photos are left out; each is named above", report.bad_photos));
  }
}

}  // namespace

StatusOr<cv::Size> SizeFromText(const std::string& field, const std::string& text) {
  cv::Size size;
  const char* const end = text.data() + text.size();
  const auto [after_width, width_error] = std::from_chars(text.data(), end, size.width);
  if (width_error == std::errc() && after_width != end && *after_width == 'x') {
    const auto [after_height, height_error] = std::from_chars(after_width + 1, end, size.height);
    if (height_error == std::errc() && after_height == end && size.width > 0 && size.height > 0 &&
        size.width <= kMaxSide && size.height <= kMaxSide) {
      return size;
    }
  }
  return RefuseField(field, fmt::format("{} is not a size; expected WIDTHxHEIGHT such as 112x112, "
                                        "each 1 to {}",
                                        text, kMaxSide));
}

TrainCommand AddPackCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "pack", "Puts the photos of folders, lists and packs into one file that is read fast");
  command->footer(
      "SOURCE is a folder with a folder per identity, a list (PATH LABEL, LABEL;PATH or CSV) or a "
      "pack.\nThe photos keep their bytes. What does not decode is named and left out. A run that "
      "was interrupted\nleaves OUT.pack.partial; the same command continues from there.\n"
      "\n"
      "Examples:\n"
      "  facegate-train pack faces/ faces.pack\n"
      "  facegate-train pack casia.txt --list-root casia/ --min-photos 5 --crop 112x112 "
      "casia.pack\n"
      "  facegate-train pack casia.pack ours/ both.pack");
  const auto options = std::make_shared<PackCommand>();
  command
      ->add_option("PATHS", options->paths,
                   "SOURCE... OUT: folders, lists or packs, and at last the pack to write")
      ->required();
  command->add_option("-o,--out,--output", options->options.out,
                      "The pack to write, instead of the last path");
  command->add_option("--list-root,--root", options->options.list_root,
                      "Folder that paths in lists are relative to; by default the list's own");
  command->add_flag("--skip-missing", options->skip_missing,
                    "Leave out photos of lists that are not there; without it they are an error");
  command
      ->add_option("--min-photos", options->options.min_photos,
                   "Leave out identities with fewer readable photos")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--crop", options->crop,
                      "Leave out photos that are not of this size, such as 112x112");
  command->add_option("--threads", options->options.threads, "That read and decode the photos")
      ->check(CLI::Range(1, kMaxThreads))
      ->capture_default_str();
  command->add_flag("--replace,--force", options->replace, "Overwrite OUT if it exists");
  return {.app = command, .run = [options](std::ostream& out) -> Status {
            FACEGATE_RETURN_IF_ERROR(Complete(*options));
            FACEGATE_ASSIGN_OR_RETURN(const PackReport report, PackWithProgress(options->options));
            Print(options->options, report, out);
            return OkStatus();
          }};
}

}  // namespace facegate
