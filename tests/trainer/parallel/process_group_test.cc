#include "trainer/parallel/process_group.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "face/base/file.h"
#include "tests/trainer/parallel/group_of_threads.h"

namespace facegate {
namespace {

using torch::Tensor;

class ProcessGroupTest : public WithGloo {};

TEST_F(ProcessGroupTest, GivesAllTheSum) {
  InGroup(3, [](const auto& group) {
    Tensor tensor = torch::full({2}, 1.5 + group->rank(), torch::kDouble);
    ASSERT_THAT(group->Sum(tensor), IsOk());
    EXPECT_EQ(tensor[1].template item<double>(), 7.5);
  });
}

TEST_F(ProcessGroupTest, GivesAllTheLargest) {
  InGroup(2, [](const auto& group) {
    Tensor tensor = torch::full({1}, group->rank() == 0 ? 4.0F : 3.0F);
    ASSERT_THAT(group->Max(tensor), IsOk());
    EXPECT_EQ(tensor.template item<float>(), 4.0F);
  });
}

TEST_F(ProcessGroupTest, GathersByRank) {
  InGroup(3, [](const auto& group) {
    const auto all = group->Gather(torch::full({2}, int64_t{group->rank()}, torch::kInt64));
    ASSERT_THAT(all, IsOk());
    ASSERT_EQ(all->size(), 3U);
    for (int64_t i = 0; i < 3; ++i) {
      EXPECT_EQ((*all)[static_cast<size_t>(i)][1].template item<int64_t>(), i);
    }
  });
}

TEST_F(ProcessGroupTest, GivesAllTheTextOfTheFirst) {
  InGroup(2, [](const auto& group) {
    const auto text = TextOfFirst(group->rank() == 0 ? "hold on" : "", *group);
    ASSERT_THAT(text, IsOk());
    EXPECT_EQ(*text, "hold on");
  });
}

TEST_F(ProcessGroupTest, GathersTextsOfAnyLength) {
  InGroup(3, [](const auto& group) {
    const auto texts = GatherTexts(std::string(static_cast<size_t>(group->rank()), 'x'), *group);
    ASSERT_THAT(texts, IsOk());
    EXPECT_THAT(*texts, ::testing::ElementsAre("", "x", "xx"));
  });
}

TEST_F(ProcessGroupTest, SumsManyTensorsTogether) {
  InGroup(2, [](const auto& group) {
    const std::vector<Tensor> tensors = {
        torch::full({3, 2}, 1.0F), torch::full({5000000}, 2.0F),
        torch::full({1}, 3.0F + static_cast<float>(group->rank()))};
    ASSERT_THAT(SumTogether(tensors, *group), IsOk());
    EXPECT_EQ(tensors[0].sum().template item<float>(), 12.0F);
    EXPECT_EQ(tensors[1].min().template item<float>(), 4.0F);
    EXPECT_EQ(tensors[2].template item<float>(), 7.0F);
  });
}

TEST_F(ProcessGroupTest, GathersAsManyRowsAsEachHas) {
  InGroup(2, [](const auto& group) {
    const Tensor own = torch::full({1 + group->rank(), 2}, static_cast<float>(group->rank()));
    const auto rows = GatherRows(own, *group);
    ASSERT_THAT(rows, IsOk());
    EXPECT_TRUE(rows->equal(torch::tensor({{0.0F, 0.0F}, {1.0F, 1.0F}, {1.0F, 1.0F}})));
  });
}

TEST_F(ProcessGroupTest, NeedsNoFileOnceAllHaveMet) {
  const TempDir dir;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < 4; ++rank) {
    threads.emplace_back([&dir, rank] {
      const auto group = JoinGlooGroup({.rendezvous = dir.File("meet"), .rank = rank, .size = 4});
      ASSERT_THAT(group, IsOk());
      std::filesystem::remove(dir.File("meet"));
      Tensor tensor = torch::ones({1});
      EXPECT_THAT((*group)->Sum(tensor), IsOk());
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ProcessGroupTest, SaysThatAnotherIsGone) {
  InGroup(2, [](auto group) {
    if (group->rank() == 1) return;
    Tensor tensor = torch::zeros({1});
    EXPECT_THAT(group->Sum(tensor), StatusIs(StatusCode::kUnavailable));
  });
}

// The first ones may wait as long as rank 0 evaluates, the others for each other alone.
TEST_F(ProcessGroupTest, ACallTakesAsLongAsItMayWhateverMeetingTook) {
  const TempDir dir;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < 2; ++rank) {
    threads.emplace_back([&dir, rank] {
      const auto group = JoinGlooGroup({.rendezvous = dir.File("meet"),
                                        .rank = rank,
                                        .size = 2,
                                        .to_meet = std::chrono::seconds(10),
                                        .deadline = std::chrono::milliseconds(200)});
      ASSERT_THAT(group, IsOk());
      Tensor tensor = torch::ones({1});
      if (rank == 0) std::this_thread::sleep_for(std::chrono::seconds(1));
      EXPECT_THAT((*group)->TakeFirst(tensor), IsOk());
      if (rank == 1) std::this_thread::sleep_for(std::chrono::seconds(1));
      EXPECT_THAT((*group)->Sum(tensor), StatusIs(StatusCode::kUnavailable));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ProcessGroupTest, DoesNotWaitLongForOneThatMeetsButDoesNotConnect) {
  const TempDir dir;
  const auto sized = [](const std::string& text) {
    const auto size = static_cast<uint32_t>(text.size());
    return std::string(reinterpret_cast<const char*>(&size), sizeof size) + text;
  };
  ASSERT_THAT(WriteFileAtomically(dir.File("meet"), sized("/process 1") + sized("\1")), IsOk());
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(JoinGlooGroup({.rendezvous = dir.File("meet"),
                             .rank = 0,
                             .size = 2,
                             .to_meet = std::chrono::seconds(1),
                             .deadline = std::chrono::seconds(60)}),
              StatusIs(StatusCode::kUnavailable));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST_F(ProcessGroupTest, DoesNotWaitForOneThatIsKnownNotToCome) {
  const TempDir dir;
  const auto group =
      JoinGlooGroup({.rendezvous = dir.File("meet"), .rank = 0, .size = 2, .still_coming = [] {
                       return Unavailable("it has died");
                     }});
  EXPECT_THAT(group, StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(std::string(MessageOf(group.status())), ::testing::HasSubstr("it has died"));
}

TEST_F(ProcessGroupTest, DoesNotWaitForeverForOneThatDoesNotCome) {
  const TempDir dir;
  EXPECT_THAT(JoinGlooGroup({.rendezvous = dir.File("meet"),
                             .rank = 0,
                             .size = 2,
                             .to_meet = std::chrono::seconds(1)}),
              StatusIs(StatusCode::kUnavailable));
}

}  // namespace
}  // namespace facegate
