#pragma once

#include <cstddef>

namespace facegate {

// Where results and progress are shown.
struct Terminal {
  // Errors and progress go to a terminal, on which a line may be drawn again.
  bool redraws = false;
  // How wide the results may be; 0 for as wide as they are, for files and pipes.
  size_t columns = 0;
};

// Of this process: as wide as COLUMNS says, else as the terminal that standard output is.
Terminal ThisTerminal();

}  // namespace facegate
