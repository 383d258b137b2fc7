// Runs a fuzz target over the files of its corpus, without libFuzzer: what the fuzzer once found
// stays tested in every build.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "face/base/file.h"
#include "tests/fuzz/fuzz_input.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxFileBytes = 1 << 20;

int Replay(const std::filesystem::path& corpus) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(corpus, error)) {
    paths.push_back(entry.path().string());
  }
  if (paths.empty()) {
    std::fprintf(stderr, "no corpus at %s\n", corpus.c_str());
    return 1;
  }
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    const StatusOr<std::string> bytes = ReadFile(path, kMaxFileBytes);
    if (!bytes.ok()) {
      std::fprintf(stderr, "%s\n", bytes.status().ToString().c_str());
      return 1;
    }
    std::printf("%s\n", path.c_str());
    std::fflush(stdout);  // so that the last line names the file on which the target ended
    const ExactCopy input(*bytes);
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.view().data()),
                           input.view().size());
  }
  std::printf("%zu files\n", paths.size());
  return 0;
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
    return 2;
  }
  return facegate::Replay(argv[1]);
}
