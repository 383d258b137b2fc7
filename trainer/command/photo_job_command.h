#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <opencv2/core/types.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/photo_job.h"

// What the commands that turn sets of photos into another one have in common.
namespace facegate {

// "112x112" as width and height. Refused at `field` for anything else.
StatusOr<cv::Size> SizeFromText(const std::string& field, const std::string& text);

struct PhotoJobArguments {
  std::vector<std::string> paths;  // sources, and at last what is written
  std::string out;
  std::optional<std::string> crop;
  bool replace = false;
  bool skip_missing = false;
};

// `command`, `arguments` and `options` outlive the parsing.
void AddPhotoJobOptions(CLI::App& command, PhotoJobArguments& arguments, PhotoJobOptions& options);

// The options as the command line gives them, and what is written in `arguments.out`.
Status CompletePhotoJob(PhotoJobArguments& arguments, PhotoJobOptions& options);

// Runs a job that tells what it does on standard error: a line for each bad photo, and how far it
// is.
Status RunWithProgress(const std::function<Status(const PhotoJobEvents&)>& job);

// "photos        1240": a name and what is said of it.
void PrintRow(std::ostream& out, std::string_view name, const std::string& value);
// What was left out or renamed.
void PrintPhotoJob(const PhotoJobOptions& options, const PhotoJobReport& report, std::ostream& out);

}  // namespace facegate
