#include "tests/gpu/tested_card.h"

#include <cstdlib>
#include <utility>

#include "face/base/module.h"
#include "tests/support/status_matchers.h"

namespace facegate {

std::string TestedDevice() {
  const char* given = std::getenv("FACEGATE_TEST_DEVICE");
  return given == nullptr ? "cuda:0" : given;
}

bool IsStandIn() { return TestedDevice() == "cpu"; }

OpenSearchCard* SearchEntryOf(const std::string& module) {
  const auto entry = OpenModule(module);
  EXPECT_THAT(entry, IsOk());
  return entry.ok() ? reinterpret_cast<OpenSearchCard*>(*entry) : nullptr;
}

void OnCardTest::SetUp() {
  OpenSearchCard* const open = SearchEntryOf(IsStandIn() ? "gpu-stand-in-card" : kSearchCardModule);
  ASSERT_NE(open, nullptr);
  const std::string device = TestedDevice();
  auto card = open(IsStandIn() ? 0 : std::atoi(device.substr(device.find(':') + 1).c_str()));
  if (card.status().code() == StatusCode::kFailedPrecondition) {
    GTEST_SKIP() << "SKIPPED: no card: " << MessageOf(card.status());
  }
  ASSERT_THAT(card, IsOk());
  card_ = *std::move(card);
}

}  // namespace facegate
