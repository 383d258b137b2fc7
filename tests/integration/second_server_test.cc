// Two servers on one data folder: the second one fails, says why, and leaves the first one alone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "face/base/file.h"
#include "tests/integration/running_server_test.h"
#include "tests/support/child_process.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

class SecondServerTest : public RunningServerTest {};

TEST_F(SecondServerTest, FailsAndLeavesThePortFileOfTheFirst) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  const std::string port_file = dir_.File("port");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string port, ReadFile(port_file, 64));
  ASSERT_FALSE(port.empty());
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const CommandResult second,
      RunCommand({FACEGATE_SERVER_BINARY, "--listen=127.0.0.1:0", "--port_file=" + port_file,
                  "--data_dir=" + dir_.File("data"), "--model=" + options_.model, "--detector=none",
                  "--max_batch=1", "--model_threads=1"},
                 std::chrono::seconds(60)));
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.output, HasSubstr("is in use: another process has the store open"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string after, ReadFile(port_file, 64));
  EXPECT_EQ(after, port);
  EXPECT_TRUE(client_->GetServerInfo().ok());
}

}  // namespace
}  // namespace facegate
