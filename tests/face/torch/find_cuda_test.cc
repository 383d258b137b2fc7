#include "face/torch/find_cuda.h"

#include <gtest/gtest.h>

namespace facegate {
namespace {

TEST(FindCudaTest, ListsCardsOrSaysWhyThereAreNone) {
  const CudaMachine machine = FindCuda();
  EXPECT_NE(machine.cards.empty(), machine.missing.empty());
}

}  // namespace
}  // namespace facegate
