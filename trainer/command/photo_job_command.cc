#include "trainer/command/photo_job_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <iostream>

#include "face/base/shown_text.h"
#include "trainer/command/command.h"
#include "trainer/run/progress.h"

namespace facegate {
namespace {

constexpr int kMaxSide = 32766;

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

void AddPhotoJobOptions(CLI::App& command, PhotoJobArguments& arguments, PhotoJobOptions& options) {
  command
      .add_option("PATHS", arguments.paths,
                  "SOURCE... OUT: sets of photos, and at last what is written")
      ->required();
  command.add_option("-o,--out,--output", arguments.out,
                     "What is written, instead of the last path");
  command.add_option("--list-root,--root", options.list_root,
                     "Folder that paths in lists are relative to; by default the list's own");
  command.add_flag("--skip-missing", arguments.skip_missing,
                   "Leave out photos of lists that are not there; without it they are an error");
  command
      .add_option("--min-photos", options.min_photos,
                  "Leave out identities with fewer readable photos")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command.add_option("--crop", arguments.crop,
                     "Leave out photos that are not of this size, such as 112x112");
  command.add_option("--threads", options.threads, "That read and decode the photos")
      ->check(CLI::Range(1, kMaxThreads))
      ->capture_default_str();
  command.add_flag("--replace,--force", arguments.replace, "Overwrite OUT if it exists");
}

Status CompletePhotoJob(PhotoJobArguments& arguments, PhotoJobOptions& options) {
  if (arguments.paths.size() < (arguments.out.empty() ? 2U : 1U)) {
    return RefuseField("SOURCE", "what is read is missing; expected SOURCE... OUT");
  }
  if (arguments.out.empty()) {
    arguments.out = arguments.paths.back();
    arguments.paths.pop_back();
  }
  options.sources = arguments.paths;
  options.missing = arguments.skip_missing ? MissingPhotos::kSkip : MissingPhotos::kRefuse;
  if (arguments.crop.has_value()) {
    FACEGATE_ASSIGN_OR_RETURN(options.crop, SizeFromText("--crop", *arguments.crop));
  }
  return OkStatus();
}

Status RunWithProgress(const std::function<Status(const PhotoJobEvents&)>& job) {
  std::optional<ProgressBar> progress;
  const PhotoJobEvents events{
      .started =
          [&](size_t photos) {
            progress.emplace(std::cerr, ::isatty(STDERR_FILENO) == 1, "photos", photos);
          },
      .read = [&] { progress->Advance(); },
      .bad_photo =
          [&](const Status& bad) {
            std::cerr << "left out: " << ShownLine(MessageOf(bad)) << std::endl;
          }};
  Status status = job(events);
  if (progress.has_value()) progress->Finish();
  return status;
}

void PrintRow(std::ostream& out, std::string_view name, const std::string& value) {
  out << fmt::format("{:<14}{}\n", name, value);
}

void PrintPhotoJob(const PhotoJobOptions& options, const PhotoJobReport& report,
                   std::ostream& out) {
  if (report.renamed_identities > 0) {
    PrintRow(out, "renamed",
             fmt::format("{} identities have the name of their source in front, as another "
                         "source has the same name",
                         report.renamed_identities));
  }
  if (report.small_identities > 0) {
    PrintRow(out, "left out",
             fmt::format("{} identities with fewer than {} readable photos ({} photos)",
                         report.small_identities, options.min_photos, report.photos_of_small));
  }
  if (report.bad_photos > 0) {
    PrintRow(out, "bad",
             fmt::format("{} photos are left out; each is named above", report.bad_photos));
  }
}

}  // namespace facegate
