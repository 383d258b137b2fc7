// change_until_killed DIRECTORY ROUND: enrols, renames, merges and deletes identities, as
// crash_data.h says, until it is killed. Tells the number of each step on a line of standard output
// when it was acknowledged.

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

Status Do(Gallery& gallery, const std::string& round, int number) {
  const CrashStep step = CrashStepOf(round, number);
  switch (step.kind) {
    case CrashStep::Kind::kEnrol:
      return gallery
          .Enrol(kCrashCollection, step.id, CrashModel(), CrashTemplates(CrashName(round, number)),
                 {})
          .status();
    case CrashStep::Kind::kRename:
      return gallery.RenameIdentity(kCrashCollection, step.id, step.other, "").status();
    case CrashStep::Kind::kMerge:
      return gallery.MergeIdentities(kCrashCollection, {step.id, ""}, {step.other, ""}).status();
    case CrashStep::Kind::kDelete:
      break;
  }
  return gallery.DeleteIdentity(kCrashCollection, step.id).status();
}

int Run(const std::string& directory, const std::string& round) {
  SetLogLevel(LogLevel::kWarning);
  // Rows move all the time.
  auto gallery = OpenLocalGallery(
      {.directory = directory, .upkeep_interval = std::chrono::milliseconds(1)}, Clock::System());
  if (!gallery.ok()) {
    std::fprintf(stderr, "%s\n", gallery.status().ToString().c_str());
    return 1;
  }
  if (!(*gallery)->GetCollection(kCrashCollection).ok()) {
    FACEGATE_CHECK(
        (*gallery)->CreateCollection(kCrashCollection, CrashModel(), kCrashSize, {}).ok());
  }
  for (int number = 0;; ++number) {
    FACEGATE_CHECK(Do(**gallery, round, number).ok());
    const std::string line = std::to_string(number) + "\n";
    FACEGATE_CHECK(::write(STDOUT_FILENO, line.data(), line.size()) ==
                   static_cast<ssize_t>(line.size()));
  }
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return facegate::Run(argv[1], argv[2]);
}
