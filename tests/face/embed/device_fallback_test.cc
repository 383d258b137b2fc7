#include "face/embed/device_fallback.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>

#include "tests/support/fake_embedder.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

EmbedderSource Gives(Status status) {
  return [status = std::move(status)]() -> StatusOr<std::unique_ptr<Embedder>> {
    if (!status.ok()) return status;
    return std::make_unique<FakeEmbedder>();
  };
}

const EmbedderSource kNotAsked = [] {
  ADD_FAILURE() << "the CPU was asked";
  return Gives(OkStatus())();
};

TEST(DeviceFallbackTest, ACardThatServesIsTaken) {
  EXPECT_THAT(MakeOnCardOrCpu(true, Gives(OkStatus()), kNotAsked), IsOk());
}

TEST(DeviceFallbackTest, TheCpuTakesOverWhereTheCardIsFullOrTakenAndTheLogSaysWhy) {
  for (const StatusCode code : {StatusCode::kResourceExhausted, StatusCode::kUnavailable}) {
    ::testing::internal::CaptureStderr();
    EXPECT_THAT(
        MakeOnCardOrCpu(true, Gives(Status(code, "device cuda:0: busy")), Gives(OkStatus())),
        IsOk());
    EXPECT_THAT(::testing::internal::GetCapturedStderr(),
                HasSubstr("computing on the CPU: device cuda:0: busy"));
  }
}

TEST(DeviceFallbackTest, ACardThatWasAskedForByNameIsNotReplaced) {
  EXPECT_THAT(MakeOnCardOrCpu(false, Gives(Unavailable("busy")), kNotAsked),
              StatusIs(StatusCode::kUnavailable));
}

TEST(DeviceFallbackTest, AModelThatNoDeviceServesIsRefusedAtOnce) {
  EXPECT_THAT(MakeOnCardOrCpu(true, Gives(FailedPrecondition("canary differs")), kNotAsked),
              StatusIs(StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace facegate
