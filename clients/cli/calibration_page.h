#pragma once

#include <optional>
#include <string>

#include "facegate/v1/gallery_service.pb.h"

namespace facegate::cli {

// A page for a browser, in one file that loads nothing: how often thresholds err by `answer`, as a
// curve with intervals and a table, the warnings, and beside it what the model card says, where
// that is given. It has no faces and no names of people; `collection` is the collection's id.
std::string CalibrationPage(const std::string& collection, const v1::GetCalibrationResponse& answer,
                            const std::optional<v1::GetCalibrationResponse>& model_card);

}  // namespace facegate::cli
