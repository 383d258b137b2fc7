#include "trainer/command/synthesize.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "face/image/decode.h"
#include "face/image/encode.h"
#include "face/image/mat_pixels.h"
#include "trainer/drawing/contact_sheet.h"
#include "trainer/run/progress.h"

namespace facegate {
namespace {

constexpr size_t kSheetRows = 20;
constexpr size_t kSheetColumns = 10;
constexpr uint64_t kMaxPictureBytes = 64 << 20;
constexpr int kSheetCell = 160;  // of whole pictures; crops are shown as they are

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

Status CheckSheet(const SynthesizeOptions& options) {
  if (!options.sheet.has_value()) return OkStatus();
  const std::string extension = std::filesystem::path(*options.sheet).extension().string();
  if (extension != ".png" && extension != ".jpg") {
    return RefuseField("--sheet", fmt::format("{} ends in neither .png nor .jpg", *options.sheet));
  }
  if (Exists(*options.sheet) && !options.job.force) {
    return RefuseField("--sheet", fmt::format("{} exists; --force overwrites it", *options.sheet));
  }
  return OkStatus();
}

Status WriteSheet(const synthetic::SynthesisOptions& job, const std::string& path) {
  std::vector<SheetRow> rows;
  const size_t identities = std::min(job.identities, kSheetRows);
  const size_t views = std::min(job.views, kSheetColumns);
  rows.reserve(identities);
  for (size_t i = 0; i < identities; ++i) {
    SheetRow row{.title = fmt::format("{:04}", job.first_identity + i), .pictures = {}};
    row.pictures.reserve(views);
    for (size_t view = 0; view < views; ++view) {
      const std::string file =
          (std::filesystem::path(job.directory) / row.title / fmt::format("{:03}.png", view))
              .string();
      FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(file, kMaxPictureBytes));
      StatusOr<Image> picture = DecodeImage(bytes, {.max_bytes = kMaxPictureBytes});
      if (!picture.ok()) return Annotate(picture.status(), file);
      row.pictures.push_back({.picture = std::move(picture->bgr), .caption = {}});
    }
    rows.push_back(std::move(row));
  }
  const int cell = job.crops ? 112 : kSheetCell;
  const cv::Mat sheet =
      DrawContactSheet(fmt::format("{} people who do not exist, seed {}", job.identities, job.seed),
                       rows, {.cell = {cell, cell}, .title_width = 48});
  const ImageFormat format = FormatOfFileName(path).value_or(ImageFormat::kPng);
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, EncodePixels(ViewOf(sheet), format));
  return WriteFileAtomically(path, bytes);
}

}  // namespace

StatusOr<synthetic::SynthesisReport> Synthesize(const SynthesizeOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckSheet(options));
  synthetic::SynthesisOptions job = options.job;
  if (job.threads < 1) {
    job.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  }
  ProgressBar progress(std::cerr, ::isatty(STDERR_FILENO) == 1, "pictures",
                       job.identities * job.views);
  StatusOr<synthetic::SynthesisReport> report =
      synthetic::WriteSyntheticPhotos(job, [&] { progress.Advance(); });
  progress.Finish();
  if (report.ok() && options.sheet.has_value()) {
    FACEGATE_RETURN_IF_ERROR(WriteSheet(job, *options.sheet));
  }
  return report;
}

TrainCommand AddSynthesizeCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "synthesize", "Draws pictures of people who do not exist, to try out training with");
  command->footer(
      "Writes DIR/0007/003.png (identity, view), DIR/landmarks.txt and DIR/synthetic.json. Files "
      "that exist are\nkept: after an interruption the same command continues, and more identities "
      "or views are added.\nThey do not replace photos of real people.\n"
      "\n"
      "Examples:\n"
      "  facegate-train synthesize faces/ --identities 200 --views 20 --crops\n"
      "  facegate-train synthesize photos/ --identities 12 --views 8 --seed 3 --size 320 "
      "--sheet people.png\n"
      "  facegate-train synthesize strangers/ --first-identity 200 --identities 50 --crops");
  const auto options = std::make_shared<SynthesizeOptions>();
  const auto side = std::make_shared<int>(320);
  synthetic::SynthesisOptions& job = options->job;
  job.threads = 0;
  command->add_option("-o,--out,--output,DIR", job.directory, "Folder to write to")->required();
  command->add_option("--identities", job.identities, "How many people")
      ->check(CLI::Range(size_t{1}, size_t{1'000'000}))
      ->capture_default_str();
  command->add_option("--views", job.views, "Pictures of each")
      ->check(CLI::Range(size_t{1}, size_t{100'000}))
      ->capture_default_str();
  command->add_option("--first-identity", job.first_identity, "Number of the first of them")
      ->capture_default_str();
  command->add_option("--seed", job.seed, "Another seed, other people")->capture_default_str();
  command
      ->add_option("--difficulty", job.picture.difficulty,
                   "0: frontal, evenly lit, clean; 1: turned, harshly lit, blurred, noisy")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  const auto* size =
      command->add_option("--size", *side, "Width and height of whole pictures, pixels")
          ->check(CLI::Range(64, 4096))
          ->capture_default_str();
  command->add_flag("--crops", job.crops, "Aligned crops of 112x112 instead of whole pictures");
  command->add_option("--sheet", options->sheet,
                      "Also one picture of the first people, PNG or JPEG");
  command->add_option("--threads", job.threads, "0: as many as the machine has cores")
      ->check(CLI::Range(0, kMaxThreads))
      ->capture_default_str();
  command->add_flag("--force", job.force, "Draw files again that exist");
  return {.app = command, .run = [options, side, size](std::ostream& out) -> Status {
            if (options->job.crops && size->count() > 0) {
              return RefuseField("--size", "crops are 112x112; leave out --size or --crops");
            }
            options->job.picture.width = *side;
            options->job.picture.height = *side;
            FACEGATE_ASSIGN_OR_RETURN(const synthetic::SynthesisReport report,
                                      Synthesize(*options));
            out << fmt::format("{:<10}{}\n{:<10}{}\n", "drawn", report.drawn, "folder",
                               options->job.directory);
            if (report.kept > 0) out << fmt::format("{:<10}{}\n", "kept", report.kept);
            if (options->sheet.has_value()) {
              out << fmt::format("{:<10}{}\n", "sheet", *options->sheet);
            }
            return OkStatus();
          }};
}

}  // namespace facegate
