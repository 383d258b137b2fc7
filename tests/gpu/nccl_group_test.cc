// Groups of processes that have a card each; threads stand for processes.
#include "trainer/parallel/nccl_group.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "face/torch/find_cuda.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/trainer/learn/stripes.h"
#include "trainer/parallel/process_group.h"

namespace facegate {
namespace {

using torch::Tensor;

class NcclGroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const CudaMachine machine = FindCuda();
    if (machine.cards.empty()) GTEST_SKIP() << "SKIPPED: no card: " << machine.missing;
    if (!HasNccl()) GTEST_SKIP() << "SKIPPED: this build has no NCCL";
    cards_ = static_cast<int>(machine.cards.size());
  }
  bool HasTwo() const { return cards_ >= 2; }

  template <typename Body>
  static void InCards(int size, const Body& body) {
    const TempDir dir;
    std::vector<std::thread> threads;
    for (int rank = 0; rank < size; ++rank) {
      threads.emplace_back([&, rank] {
        auto group = JoinNcclGroup({.rendezvous = dir.File("meet"), .rank = rank, .size = size});
        ASSERT_THAT(group, IsOk());
        body(*std::move(group), torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(rank)));
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  static void ExpectToShare(ProcessGroup& group, const torch::Device& device) {
    const auto size = static_cast<double>(group.size());
    for (const auto type : {torch::kFloat, torch::kDouble, torch::kHalf, torch::kInt64}) {
      Tensor sum = torch::full({3}, group.rank() + 1, torch::TensorOptions(type).device(device));
      Tensor most = sum.clone();
      ASSERT_THAT(group.Sum(sum), IsOk());
      ASSERT_THAT(group.Max(most), IsOk());
      EXPECT_EQ(sum[2].item<double>(), size * (size + 1.0) / 2.0);
      EXPECT_EQ(most[0].item<double>(), size);
      EXPECT_EQ(sum.device(), device);
    }
    const auto texts = GatherTexts(std::string(static_cast<size_t>(group.rank()), 'x'), group);
    ASSERT_THAT(texts, IsOk());
    for (size_t i = 0; i < texts->size(); ++i) EXPECT_EQ((*texts)[i], std::string(i, 'x'));
    EXPECT_EQ(TextOfFirst("rank " + std::to_string(group.rank()), group).value(), "rank 0");
  }

  int cards_ = 0;
};

TEST_F(NcclGroupTest, OneAloneHasWhatItHas) {
  InCards(1, [](const auto& group, const torch::Device& device) {
    ExpectToShare(*group, device);
    ExpectToShare(*group, torch::kCPU);
  });
}

TEST_F(NcclGroupTest, TwoHaveWhatBothHave) {
  if (!HasTwo()) GTEST_SKIP() << "SKIPPED: one card";
  InCards(2, [](const auto& group, const torch::Device& device) {
    ExpectToShare(*group, device);
    ExpectToShare(*group, torch::kCPU);
  });
}

TEST_F(NcclGroupTest, OneAloneTrainsAsWithoutAGroup) {
  TrainingOptions options = StripesOptions();
  options.schedule.base = 2e-4;
  options.device = {.card = 0, .card_name = "card"};
  options.deterministic = true;
  const auto alone = BeginTraining(options);
  InCards(1, [&](const auto& group, const torch::Device& /*device*/) {
    const auto training = Training::Create(options, group);
    ASSERT_THAT(training, IsOk());
    for (size_t step = 0; step < 3; ++step) {
      const auto report = (*training)->Learn(StripesAt(step));
      ASSERT_THAT(report, IsOk());
      EXPECT_NEAR(report->loss, LearnAt(*alone, step).loss, 1e-2) << step;
    }
  });
}

}  // namespace
}  // namespace facegate
