#pragma once

#include <CLI/CLI.hpp>

#include "trainer/embeddings/face_cutter.h"

namespace facegate {

// The options by which faces of photos are found, alike in all commands. `command` and `options`
// outlive the parsing.
void AddFaceFindingOptions(CLI::App& command, FaceCutOptions& options);

// Those, and the options for photos that are crops already.
void AddFaceCutOptions(CLI::App& command, FaceCutOptions& options);

}  // namespace facegate
