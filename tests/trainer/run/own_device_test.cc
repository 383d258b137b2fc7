#include "trainer/run/own_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

CudaMachine Cards(size_t count) {
  CudaMachine machine;
  machine.cards.assign(count, {.name = "NVIDIA H100", .capability = 90});
  return machine;
}

std::string DeviceOf(const char* device, int64_t processes, int rank, bool have_cards) {
  Recipe::Machine keys;
  keys.device = device;
  keys.processes = processes;
  const auto own = DeviceOfProcess(keys, rank, Cards(4), have_cards);
  return own.ok() ? own->name() : std::string(MessageOf(own.status()));
}

TEST(OwnDeviceTest, OneProcessHasWhatItsRecipeSays) {
  EXPECT_EQ(DeviceOf("auto", 1, 0, true), "cuda:0");
  EXPECT_EQ(DeviceOf("cpu", 1, 0, true), "cpu");
}

TEST(OwnDeviceTest, SeveralHaveTheCpuWhereThereIsNoNccl) {
  EXPECT_EQ(DeviceOf("auto", 2, 1, false), "cpu");
}

TEST(OwnDeviceTest, EachOfSeveralHasACard) {
  EXPECT_EQ(DeviceOf("auto", 4, 0, true), "cuda:0");
  EXPECT_EQ(DeviceOf("auto", 4, 3, true), "cuda:3");
  EXPECT_EQ(DeviceOf("cuda:2", 2, 1, true), "cuda:3");
}

TEST(OwnDeviceTest, SaysThatThereAreTooFewCards) {
  EXPECT_THAT(DeviceOf("cuda:2", 3, 0, true),
              HasSubstr("machine.processes is 3, and each has a card of its own from cuda:2 on: "
                        "this machine has 4"));
  EXPECT_THAT(DeviceOf("cpu", 2, 0, true),
              HasSubstr("machine.processes is 2 and machine.device cpu, but several"));
}

}  // namespace
}  // namespace facegate
