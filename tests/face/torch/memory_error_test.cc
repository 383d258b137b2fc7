#include "face/torch/memory_error.h"

#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

namespace facegate {
namespace {

TEST(MemoryErrorTest, KnowsAllThatSayThatMemoryRanOut) {
  EXPECT_TRUE(IsOutOfMemory(std::bad_alloc()));
  EXPECT_TRUE(IsOutOfMemory(c10::OutOfMemoryError({__func__, __FILE__, __LINE__}, "full")));
  EXPECT_TRUE(IsOutOfMemory(std::runtime_error("CUDA error: out of memory\nCUDA kernel errors…")));
  EXPECT_TRUE(IsOutOfMemory(std::runtime_error("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when")));
}

TEST(MemoryErrorTest, TakesNoOtherErrorForOne) {
  EXPECT_FALSE(IsOutOfMemory(std::runtime_error("CUDA error: an illegal memory access")));
  EXPECT_FALSE(IsOutOfMemory(c10::Error({__func__, __FILE__, __LINE__}, "sizes differ")));
}

}  // namespace
}  // namespace facegate
