#include "face/base/device.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const CudaMachine kTwoCards{
    .cards = {{.name = "Tesla T4", .capability = 75}, {.name = "H100", .capability = 90}}};
const CudaMachine kNoDriver{.missing = "no NVIDIA driver is installed"};

std::string Refusal(std::string_view name, const CudaMachine& machine, StatusCode code) {
  const auto device = ChooseDevice(name, machine);
  EXPECT_THAT(device, StatusIs(code));
  return std::string(MessageOf(device.status()));
}

TEST(ChooseDeviceTest, AutoTakesTheFirstCardThatCanBeUsed) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Device device, ChooseDevice("auto", kTwoCards));
  EXPECT_EQ(device.name(), "cuda:1");
  EXPECT_EQ(device.card_name, "H100");
  EXPECT_THAT(device.note, IsEmpty());
}

TEST(ChooseDeviceTest, AutoTakesTheCpuAndSaysWhy) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Device none, ChooseDevice("auto", kNoDriver));
  EXPECT_EQ(none.name(), "cpu");
  EXPECT_THAT(none.note, HasSubstr("no NVIDIA driver is installed"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const Device old, ChooseDevice("auto", {.cards = {{.name = "Tesla T4", .capability = 75}}}));
  EXPECT_EQ(old.name(), "cpu");
  EXPECT_THAT(old.note, HasSubstr("Tesla T4 has compute capability 7.5, and 8.0 is needed"));
}

TEST(ChooseDeviceTest, ABuildForCpusGivesNoReasonForWhatItIs) {
  const CudaMachine machine{.sought = false, .missing = "this build is for CPUs alone"};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Device device, ChooseDevice("auto", machine));
  EXPECT_THAT(device.note, IsEmpty());
  EXPECT_THAT(Refusal("cuda", machine, StatusCode::kFailedPrecondition), HasSubstr("CPUs alone"));
}

TEST(ChooseDeviceTest, TheCpuNeedsNoReason) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Device device, ChooseDevice("cpu", kTwoCards));
  EXPECT_FALSE(device.is_cuda());
  EXPECT_THAT(device.note, IsEmpty());
}

TEST(ChooseDeviceTest, CudaAloneIsTheFirstCard) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const Device device, ChooseDevice("cuda", {.cards = {{.name = "H100", .capability = 90}}}));
  EXPECT_EQ(device.name(), "cuda:0");
}

TEST(ChooseDeviceTest, SaysWhatIsMissing) {
  constexpr StatusCode kMissing = StatusCode::kFailedPrecondition;
  EXPECT_EQ(Refusal("cuda", kNoDriver, kMissing),
            "device cuda: no NVIDIA driver is installed; use auto or cpu");
  EXPECT_EQ(Refusal("cuda:9", kTwoCards, kMissing),
            "device cuda:9: this machine has 2 cards, cuda:0 to cuda:1");
  EXPECT_EQ(Refusal("cuda:1", {.cards = {{.name = "H100", .capability = 90}}}, kMissing),
            "device cuda:1: this machine has 1 card, cuda:0");
  EXPECT_THAT(Refusal("cuda:0", kTwoCards, kMissing), HasSubstr("compute capability 7.5"));
}

TEST(ChooseDeviceTest, RefusesOtherNames) {
  for (const char* name : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1 ", "cuda0", "CPU",
                           "cuda:99999999999999999999"}) {
    EXPECT_THAT(Refusal(name, kTwoCards, StatusCode::kInvalidArgument), HasSubstr("unknown device"))
        << name;
  }
}

}  // namespace
}  // namespace facegate
