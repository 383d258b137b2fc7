#pragma once

#include <cstdio>
#include <string>

#include "face/base/status.h"

namespace facegate {

// Says on the standard error why the program ends, where that is no success; its exit code.
inline int EndBench(const char* program, const Status& status) {
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s: %s\n", program, std::string(MessageOf(status)).c_str());
  return 1;
}

}  // namespace facegate
