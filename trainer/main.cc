// The program facegate-train: it says its version, and opens the trainer, which is a module, for
// all else.

#include <cstdio>
#include <string>
#include <string_view>

#include "face/base/module.h"
#include "face/base/openmp.h"
#include "face/base/status.h"
#include "face/base/version.h"

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    return std::printf("facegate-train %s\n", facegate::Version()) < 0 ? 1 : 0;
  }
  facegate::WaitBrieflyInOpenMp();
  const auto entry = facegate::OpenModule("facegate-train");
  if (!entry.ok()) {
    const std::string message(facegate::MessageOf(entry.status()));
    std::fprintf(stderr, "facegate-train: %s\n", message.c_str());
    return 1;
  }
  return reinterpret_cast<int (*)(int, char**)>(*entry)(argc, argv);
}
