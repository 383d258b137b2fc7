#pragma once

#include <cstddef>

namespace facegate::cli {

// Describes where results and progress are shown.
struct Terminal {
  // Errors and progress go to a terminal, on which a line may be drawn again.
  bool redraws = false;
  // The results may be so wide; 0 for as wide as they are, for files and pipes.
  size_t columns = 0;
};

// The terminal of this process: as wide as COLUMNS says, else as the terminal that standard output
// is.
Terminal ThisTerminal();

}  // namespace facegate::cli
