#pragma once

#include <opencv2/core/types.hpp>
#include <ostream>
#include <string>

#include "face/base/status.h"
#include "trainer/command/command.h"

namespace facegate {

// "112x112" as width and height. Refused at `field` for anything else.
StatusOr<cv::Size> SizeFromText(const std::string& field, const std::string& text);

// `app` outlives the command.
TrainCommand AddPackCommand(CLI::App& app);

}  // namespace facegate
