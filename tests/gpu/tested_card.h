#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "index/rows/card/search_card.h"

namespace facegate {

// "cuda:0" or what FACEGATE_TEST_DEVICE says. With "cpu" it is the stand-in for a card
// (stand_in_cuda.cc), which proves nothing of FAISS and a card, but all that the CPU does for them.
std::string TestedDevice();
bool IsStandIn();

// The entry of a module that searches on cards; null, and a failure of the test, where it does not
// open.
OpenSearchCard* SearchEntryOf(const std::string& module);

// Tests of what the card does; they are skipped where there is none.
class OnCardTest : public ::testing::Test {
 protected:
  void SetUp() override;

  std::unique_ptr<SearchCard> card_;
};

}  // namespace facegate
