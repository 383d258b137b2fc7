#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/integration/running_server_test.h"

namespace facegate {
namespace {

class ProcessNameTest : public RunningServerTest {};

// The server starts itself once more with a setting of OpenMP, and was called "exe" from then on.
TEST_F(ProcessNameTest, IsTheProgramsOwn) {
  // As an operator has it; where one of these is set, the server does not start itself again.
  ASSERT_EQ(::unsetenv("OMP_WAIT_POLICY"), 0);
  ASSERT_EQ(::unsetenv("GOMP_SPINCOUNT"), 0);
  ASSERT_NO_FATAL_FAILURE(StartServer());
  std::string name;
  std::ifstream("/proc/" + std::to_string(server_->pid()) + "/comm") >> name;
  EXPECT_EQ(name, "facegate-server");
}

}  // namespace
}  // namespace facegate
