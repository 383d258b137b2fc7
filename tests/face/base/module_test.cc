#include "face/base/module.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Refusal(const StatusOr<void (*)()>& entry) {
  EXPECT_THAT(entry, StatusIs(StatusCode::kFailedPrecondition));
  return std::string(MessageOf(entry.status()));
}

TEST(ModuleTest, IsNamedWhereItIsMissing) {
  EXPECT_THAT(Refusal(OpenModule("facegate-none")),
              AllOf(HasSubstr("cannot be opened"), HasSubstr("lib/facegate/facegate-none.so")));
}

TEST(ModuleTest, IsRefusedWhereTheFileIsNoLibrary) {
  const TempDir dir;
  const std::string file = dir.File("text.so");
  std::ofstream(file) << "no library";
  EXPECT_THAT(Refusal(OpenModuleFile(file)), HasSubstr(file));
}

TEST(ModuleTest, IsRefusedWhereItIsALibraryOfOthers) {
  EXPECT_THAT(Refusal(OpenModuleFile("libm.so.6")), HasSubstr("no module of facegate"));
}

TEST(ModuleTest, IsRefusedWhereItIsOfAnotherBuild) {
  EXPECT_THAT(Refusal(OpenModuleFile(FACEGATE_OTHER_MODULE)),
              AllOf(HasSubstr("another build (0.0.1 of others)"), HasSubstr(ModuleBuild())));
}

}  // namespace
}  // namespace facegate
