#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/integration/running_server_test.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

class ServerAsAProcessTest : public RunningServerTest {};

// The server starts itself once more with a setting of OpenMP, and was called "exe" from then on.
TEST_F(ServerAsAProcessTest, HasTheProgramsName) {
  // An operator has none of these set; where one is, the server does not start itself again.
  ASSERT_EQ(::unsetenv("OMP_WAIT_POLICY"), 0);
  ASSERT_EQ(::unsetenv("GOMP_SPINCOUNT"), 0);
  ASSERT_NO_FATAL_FAILURE(StartServer());
  std::string name;
  std::ifstream("/proc/" + std::to_string(server_->pid()) + "/comm") >> name;
  EXPECT_EQ(name, "facegate-server");
}

// A terminal that is closed sends this to what was started in it.
TEST_F(ServerAsAProcessTest, AHangUpStopsItInOrder) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  server_->Signal(SIGHUP);
  EXPECT_EQ(server_->Wait(std::chrono::seconds(60)), 0);
  EXPECT_THAT(server_->Log(), HasSubstr("stopped"));
}

// Its memory is full of templates.
TEST_F(ServerAsAProcessTest, LeavesNoCoreFile) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  std::ifstream limits("/proc/" + std::to_string(server_->pid()) + "/limits");
  std::string line;
  while (std::getline(limits, line) && !line.starts_with("Max core file size")) continue;
  EXPECT_THAT(line, ::testing::ContainsRegex("Max core file size +1 +1 "));
}

// gRPC's own lines were written in another form, with what a stranger had sent in them.
TEST_F(ServerAsAProcessTest, WritesEachLineOfItsLogInOneForm) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  CreateCollection("people");
  ASSERT_THAT(server_->Stop(), IsOk());
  std::istringstream log(server_->Log());
  std::string line;
  while (std::getline(log, line)) {
    EXPECT_THAT(line, ::testing::ContainsRegex("^[0-9-]+T[0-9:.]+Z (debug|info|warning|error) "));
  }
}

}  // namespace
}  // namespace facegate
