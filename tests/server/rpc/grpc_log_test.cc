#include "server/rpc/grpc_log.h"

#include <gmock/gmock.h>
#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <gtest/gtest.h>

#include <string>

#include "face/base/log.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(GrpcLogTest, LeavesOutWhatACallerSent) {
  EXPECT_EQ(CleanGrpcLine("Error parsing metadata: key=authorization value=Bearer secret"),
            "Error parsing metadata: key=authorization ");
}

TEST(GrpcLogTest, KeepsALineOnOneLineAndShort) {
  EXPECT_EQ(CleanGrpcLine("one\ntwo\x1b[31m\xc3\xa9"), "one?two?[31m??");
  EXPECT_EQ(CleanGrpcLine(std::string(10'000, 'x')).size(), 300u);
}

TEST(GrpcLogTest, WritesAtOurLevelsAndBoundsTheLines) {
  grpc_init();  // reads which lines gRPC writes at all
  SendGrpcLinesToOurLog();
  SetLogLevel(LogLevel::kInfo);
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 50; ++i) gpr_log(GPR_ERROR, "line %d", i);
  gpr_log(GPR_INFO, "an unimportant line");
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("warning gRPC: line 0\n"));
  EXPECT_THAT(log, Not(HasSubstr("line 10")));
  EXPECT_THAT(log, Not(HasSubstr("unimportant")));
  grpc_shutdown();
}

}  // namespace
}  // namespace facegate
