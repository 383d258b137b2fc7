#pragma once

#include <CLI/CLI.hpp>
#include <ostream>

#include "face/base/status.h"
#include "trainer/command/import.h"

namespace facegate {

// kInvalidField, naming it, for an option of `command` that was given and that says nothing of a
// network of super-resolution.
Status CheckSuperResolutionOptions(const CLI::App& command);

// Reads the weights of an RCAN from a .pth of torch.save or a .safetensors, writes the file of
// SuperResolution, opens it again and enlarges a picture by it, and prints what it is. Of the
// options it takes source, out, force and the card's training data, licence and origin. When the
// last step fails nothing is left at `out`.
Status ImportSuperResolution(const ImportOptions& options, std::ostream& out);

}  // namespace facegate
