#pragma once

#include <filesystem>
#include <string>

#include "face/base/status.h"

namespace facegate {

// The weights of FACEGATE_DATA (weights/arcface_mobilefacenet.pth) as a model file at `out`, made
// by the real `facegate-train import`; `mirror` turns mirror averaging on.
Status ImportTestModel(const std::filesystem::path& data, const std::string& out, bool mirror);

}  // namespace facegate
