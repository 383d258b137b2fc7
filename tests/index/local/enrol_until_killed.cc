// enrol_until_killed DIRECTORY ROUND: enrols identities, three templates at a time, and deletes
// some, until it is killed. Tells each step on standard output when it was acknowledged: "+ID" or
// "-ID" and a newline.

#include <unistd.h>

#include <cstdio>
#include <string>

#include "face/base/check.h"
#include "face/base/clock.h"
#include "face/base/log.h"
#include "index/local/local_gallery.h"
#include "tests/index/local/crash_data.h"

namespace facegate {
namespace {

void Tell(const std::string& line) {
  FACEGATE_CHECK(::write(STDOUT_FILENO, line.data(), line.size()) ==
                 static_cast<ssize_t>(line.size()));
}

int Run(const std::string& directory, const std::string& round) {
  SetLogLevel(LogLevel::kWarning);
  auto gallery = OpenLocalGallery({.directory = directory}, Clock::System());
  if (!gallery.ok()) {
    std::fprintf(stderr, "%s\n", gallery.status().ToString().c_str());
    return 1;
  }
  if (!(*gallery)->GetCollection(kCrashCollection).ok()) {
    FACEGATE_CHECK(
        (*gallery)->CreateCollection(kCrashCollection, CrashModel(), kCrashSize, {}).ok());
  }
  for (int i = 0;; ++i) {
    const std::string id = "r" + round + "-" + std::to_string(i);
    FACEGATE_CHECK(
        (*gallery)->Enrol(kCrashCollection, id, CrashModel(), CrashTemplates(id), {}).ok());
    Tell("+" + id + "\n");
    if (i % 3 == 2) {
      FACEGATE_CHECK((*gallery)->DeleteIdentity(kCrashCollection, id).ok());
      Tell("-" + id + "\n");
    }
  }
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return facegate::Run(argv[1], argv[2]);
}
