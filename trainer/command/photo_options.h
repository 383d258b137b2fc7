#pragma once

#include <CLI/CLI.hpp>

#include "trainer/embeddings/face_cutter.h"

namespace facegate {

// The options by which faces of photos are found and cut out, alike in all commands. `command` and
// `options` outlive the parsing.
void AddFaceCutOptions(CLI::App& command, FaceCutOptions& options);

}  // namespace facegate
