#include "face/detect/free_list.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

struct Instance {
  std::atomic<bool> in_use = false;
};

TEST(FreeListTest, ReusesWhatIsBack) {
  FreeList<Instance> list;
  int made = 0;
  const auto make = [&]() -> StatusOr<std::unique_ptr<Instance>> {
    ++made;
    return std::make_unique<Instance>();
  };
  for (int i = 0; i < 5; ++i) ASSERT_THAT(list.Borrow(make).status(), IsOk());
  EXPECT_EQ(made, 1);
  {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto first, list.Borrow(make));
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto second, list.Borrow(make));
    EXPECT_NE(&*first, &*second);
  }
  EXPECT_EQ(made, 2);
}

TEST(FreeListTest, PassesOnAFailureToMake) {
  FreeList<Instance> list;
  const auto fail = []() -> StatusOr<std::unique_ptr<Instance>> { return NotFound("no file"); };
  EXPECT_THAT(list.Borrow(fail).status(), StatusIs(StatusCode::kNotFound));
}

TEST(FreeListTest, LendsAnInstanceToOneThreadAtATime) {
  FreeList<Instance> list;
  std::atomic<int> made = 0;
  std::atomic<int> clashes = 0;
  const auto work = [&] {
    for (int i = 0; i < 2000; ++i) {
      const auto loan = list.Borrow([&]() -> StatusOr<std::unique_ptr<Instance>> {
        ++made;
        return std::make_unique<Instance>();
      });
      if ((*loan)->in_use.exchange(true)) ++clashes;
      (*loan)->in_use = false;
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(clashes, 0);
  EXPECT_LE(made, 4);
}

}  // namespace
}  // namespace facegate
