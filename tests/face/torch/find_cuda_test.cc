#include "face/torch/find_cuda.h"

#include <gtest/gtest.h>

namespace facegate {
namespace {

TEST(FindCudaTest, ListsCardsOrSaysWhyThereAreNone) {
  const CudaMachine machine = FindCuda();
  EXPECT_NE(machine.cards.empty(), machine.missing.empty());
}

TEST(CudaFaultTest, SaysThatThereIsNoDriver) {
  EXPECT_EQ(CudaFault({.driver = 0, .runtime = 13000, .error = 35}),
            "no NVIDIA driver is installed");
}

TEST(CudaFaultTest, SaysThatTheDriverIsTooOld) {
  EXPECT_EQ(
      CudaFault({.driver = 12040, .runtime = 13000, .error = 35}),
      "the NVIDIA driver is for CUDA 12.4 at most, and this build needs 13.0: install a newer "
      "one");
}

TEST(CudaFaultTest, SaysThatThereIsNoCard) {
  EXPECT_EQ(CudaFault({.driver = 13000, .runtime = 13000, .error = 100}),
            "the NVIDIA driver finds no card");
  EXPECT_EQ(CudaFault({.driver = 13000, .runtime = 13000}), "the NVIDIA driver finds no card");
}

TEST(CudaFaultTest, TellsOtherFaultsInCudasWords) {
  EXPECT_EQ(CudaFault({.driver = 13000, .runtime = 13000, .error = 3, .error_text = "broken"}),
            "CUDA does not start: broken");
  EXPECT_EQ(CudaFault({.driver = 13000, .runtime = 13000, .cards = 2}), "");
}

}  // namespace
}  // namespace facegate
