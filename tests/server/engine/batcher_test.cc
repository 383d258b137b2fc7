#include "server/engine/batcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "face/base/mutex.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_embedder.h"
#include "tests/support/pattern_image.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using namespace std::chrono_literals;

AlignedFace Face(uint64_t seed) { return {PatternImage(seed)}; }

Embedding Expected(uint64_t seed) {
  return *Embedding::Normalize(FakeEmbedder::Describe(Face(seed)));
}

// The answers to faces that a test submits, by number.
class Answers {
 public:
  explicit Answers(size_t count) : results_(count) {}

  Batcher::Job Job(size_t i, uint64_t seed) {
    return {Face(seed), [this, i](StatusOr<Embedding> result) {
              const MutexLock lock(mutex_);
              EXPECT_FALSE(results_[i].has_value()) << "face " << i << " was answered twice";
              results_[i] = std::move(result);
              changed_.NotifyAll();
            }};
  }
  StatusOr<Embedding> Wait(size_t i) {
    const MutexLock lock(mutex_);
    while (!results_[i].has_value()) changed_.Wait(mutex_);
    return *results_[i];
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::optional<StatusOr<Embedding>>> results_;
};

class BatcherTest : public ::testing::Test {
 protected:
  // Holds the model busy with one face, so that what is submitted next waits.
  void HoldModel(Batcher& batcher, Answers& answers, size_t i) {
    embedder_.Block();
    ASSERT_THAT(Submit(batcher, answers, i), IsOk());
    embedder_.WaitForCalls(1);
  }
  static Status Submit(Batcher& batcher, Answers& answers, size_t i, const Caller& caller = {}) {
    std::vector<Batcher::Job> jobs;
    jobs.push_back(answers.Job(i, i));
    return batcher.Submit(std::move(jobs), caller);
  }

  FakeClock clock_;
  FakeEmbedder embedder_{4};
};

TEST_F(BatcherTest, GivesEachFaceItsOwnEmbedding) {
  Answers answers(10);
  Batcher batcher({}, embedder_, clock_);
  for (size_t i = 0; i < 10; ++i) ASSERT_THAT(Submit(batcher, answers, i), IsOk());
  for (size_t i = 0; i < 10; ++i) {
    const StatusOr<Embedding> answer = answers.Wait(i);
    ASSERT_THAT(answer, IsOk());
    EXPECT_EQ(*answer, Expected(i)) << "face " << i;
  }
}

TEST_F(BatcherTest, KeepsAsManyPassesBusyAsTheModelHas) {
  FakeEmbedder model(4, "two at a time", /*passes=*/2);
  Answers answers(8);
  Batcher batcher({}, model, clock_);
  model.Block();
  for (size_t i = 0; i < 8; ++i) ASSERT_THAT(Submit(batcher, answers, i), IsOk());
  model.WaitForCalls(2);  // none has been answered
  model.Unblock();
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(answers.Wait(i).value(), Expected(i)) << "face " << i;
}

TEST_F(BatcherTest, AFaceThatHasNoEmbeddingCostsTheOthersNothing) {
  Answers answers(4);
  Batcher batcher({}, embedder_, clock_);
  HoldModel(batcher, answers, 0);
  std::vector<Batcher::Job> jobs;
  for (size_t i = 1; i < 4; ++i) jobs.push_back(answers.Job(i, i));
  // As many pixels of 127 as of 128: the sum of each cell is zero.
  cv::Mat& pixels = jobs[1].face.bgr;
  pixels = cv::Mat(112, 112, CV_8UC3, cv::Scalar::all(127));
  for (int y = 0; y < pixels.rows; y += 2) pixels.row(y).setTo(cv::Scalar::all(128));
  ASSERT_THAT(batcher.Submit(std::move(jobs), {}), IsOk());
  embedder_.Unblock();
  EXPECT_EQ(answers.Wait(1).value(), Expected(1));
  EXPECT_THAT(answers.Wait(2), StatusIs(StatusCode::kInternal));
  EXPECT_EQ(answers.Wait(3).value(), Expected(3));
}

TEST_F(BatcherTest, GroupsFacesThatWaitUpToTheLargestBatch) {
  Answers answers(10);
  Batcher batcher({}, embedder_, clock_);
  HoldModel(batcher, answers, 0);
  for (size_t i = 1; i < 10; ++i) ASSERT_THAT(Submit(batcher, answers, i), IsOk());
  embedder_.Unblock();
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(*answers.Wait(i), Expected(i)) << "face " << i;
  EXPECT_THAT(embedder_.batch_sizes(), ElementsAre(1, 4, 4, 1));
  EXPECT_EQ(batcher.stats().batches, 4u);
  EXPECT_EQ(batcher.stats().faces, 10u);
}

TEST_F(BatcherTest, DoesNotWaitForMoreFacesWhenTheModelIsFree) {
  Answers answers(1);
  Batcher batcher({}, embedder_, clock_);
  ASSERT_THAT(Submit(batcher, answers, 0), IsOk());
  EXPECT_THAT(answers.Wait(0), IsOk());
  EXPECT_THAT(embedder_.batch_sizes(), ElementsAre(1));
}

TEST_F(BatcherTest, TakesFacesOfOneRequestTogether) {
  Answers answers(3);
  Batcher batcher({}, embedder_, clock_);
  std::vector<Batcher::Job> jobs;
  for (size_t i = 0; i < 3; ++i) jobs.push_back(answers.Job(i, i));
  ASSERT_THAT(batcher.Submit(std::move(jobs), {}), IsOk());
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(*answers.Wait(i), Expected(i));
  EXPECT_THAT(embedder_.batch_sizes(), ElementsAre(3));
}

TEST_F(BatcherTest, GivesTheModelsErrorToEachFaceOfTheBatchAndGoesOn) {
  Answers answers(4);
  Batcher batcher({}, embedder_, clock_);
  HoldModel(batcher, answers, 0);
  ASSERT_THAT(Submit(batcher, answers, 1), IsOk());
  ASSERT_THAT(Submit(batcher, answers, 2), IsOk());
  embedder_.FailWith(Internal("broken"));
  embedder_.Unblock();
  for (size_t i = 0; i < 3; ++i) EXPECT_THAT(answers.Wait(i), StatusIs(StatusCode::kInternal));
  embedder_.FailWith(OkStatus());
  ASSERT_THAT(Submit(batcher, answers, 3), IsOk());
  EXPECT_EQ(*answers.Wait(3), Expected(3));
}

TEST_F(BatcherTest, SurvivesAnExceptionOfTheModel) {
  std::atomic<bool> throws = true;
  embedder_.set_on_embed([&] {
    if (throws) throw std::runtime_error("tensor");
  });
  Answers answers(2);
  Batcher batcher({}, embedder_, clock_);
  ASSERT_THAT(Submit(batcher, answers, 0), IsOk());
  EXPECT_THAT(answers.Wait(0), StatusIs(StatusCode::kInternal));
  throws = false;
  ASSERT_THAT(Submit(batcher, answers, 1), IsOk());
  EXPECT_THAT(answers.Wait(1), IsOk());
}

TEST_F(BatcherTest, DropsFacesBeforeComputeWhoseDeadlineHasPassed) {
  Answers answers(4);
  Batcher batcher({}, embedder_, clock_);
  HoldModel(batcher, answers, 0);
  ASSERT_THAT(Submit(batcher, answers, 1, {.deadline = clock_.Now() + 10ms, .cancelled = {}}),
              IsOk());
  ASSERT_THAT(Submit(batcher, answers, 2, {.deadline = clock_.Now() + 30ms, .cancelled = {}}),
              IsOk());
  clock_.Advance(20ms);
  embedder_.Unblock();
  EXPECT_THAT(answers.Wait(1), RefusedWith(Reason::kDeadline));
  EXPECT_EQ(*answers.Wait(2), Expected(2));
  EXPECT_THAT(embedder_.batch_sizes(), ElementsAre(1, 1));
  EXPECT_EQ(batcher.stats().dropped, 1u);
}

TEST_F(BatcherTest, DropsFacesBeforeComputeWhoseCallerHasGone) {
  Answers answers(3);
  Batcher batcher({}, embedder_, clock_);
  HoldModel(batcher, answers, 0);
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  ASSERT_THAT(Submit(batcher, answers, 1, {.deadline = Deadline::max(), .cancelled = cancelled}),
              IsOk());
  *cancelled = true;
  embedder_.Unblock();
  EXPECT_THAT(answers.Wait(1), StatusIs(StatusCode::kCancelled));
  ASSERT_THAT(Submit(batcher, answers, 2), IsOk());
  EXPECT_THAT(answers.Wait(2), IsOk());
  EXPECT_THAT(embedder_.batch_sizes(), ElementsAre(1, 1));
}

TEST_F(BatcherTest, RefusesFacesBeyondItsQueueAtOnce) {
  Answers answers(4);
  Batcher batcher({.max_waiting = 2}, embedder_, clock_);
  HoldModel(batcher, answers, 0);
  ASSERT_THAT(Submit(batcher, answers, 1), IsOk());
  ASSERT_THAT(Submit(batcher, answers, 2), IsOk());
  const Status refused = Submit(batcher, answers, 3);
  EXPECT_THAT(refused, RefusedWith(Reason::kQueueFull));
  EXPECT_TRUE(RetryAfterOf(refused).has_value());
  embedder_.Unblock();
  EXPECT_THAT(answers.Wait(2), IsOk());
}

TEST_F(BatcherTest, TellsWhenToRetryByTheTimeThatTheQueueTakes) {
  Answers answers(5);
  embedder_.set_on_embed([&] { clock_.Advance(400ms); });
  Batcher batcher({.max_waiting = 3}, embedder_, clock_);
  ASSERT_THAT(Submit(batcher, answers, 0), IsOk());
  EXPECT_THAT(answers.Wait(0), IsOk());  // 400 ms a face from now on
  embedder_.Block();
  ASSERT_THAT(Submit(batcher, answers, 1), IsOk());
  embedder_.WaitForCalls(2);
  for (size_t i = 2; i < 5; ++i) ASSERT_THAT(Submit(batcher, answers, i), IsOk());
  EXPECT_EQ(RetryAfterOf(Submit(batcher, answers, 0)), 1200ms);
  embedder_.Unblock();
}

TEST_F(BatcherTest, TakesAllFacesOfARequestOrNone) {
  Answers answers(6);
  Batcher batcher({.max_waiting = 3}, embedder_, clock_);
  HoldModel(batcher, answers, 0);
  ASSERT_THAT(Submit(batcher, answers, 1), IsOk());
  std::vector<Batcher::Job> three;
  for (size_t i = 2; i < 5; ++i) three.push_back(answers.Job(i, i));
  EXPECT_THAT(batcher.Submit(std::move(three), {}), RefusedWith(Reason::kQueueFull));
  ASSERT_THAT(Submit(batcher, answers, 5), IsOk());
  embedder_.Unblock();
  EXPECT_THAT(answers.Wait(5), IsOk());
  EXPECT_EQ(batcher.stats().faces, 3u);
}

TEST_F(BatcherTest, TakesARequestLargerThanItsQueueWhenNothingWaits) {
  Answers answers(6);
  Batcher batcher({.max_waiting = 2}, embedder_, clock_);
  std::vector<Batcher::Job> jobs;
  for (size_t i = 0; i < 6; ++i) jobs.push_back(answers.Job(i, i));
  ASSERT_THAT(batcher.Submit(std::move(jobs), {}), IsOk());
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(*answers.Wait(i), Expected(i));
  EXPECT_THAT(embedder_.batch_sizes(), ElementsAre(4, 2));
}

TEST_F(BatcherTest, StopFinishesWhatWaitsAndRefusesWhatComes) {
  Answers answers(4);
  Batcher batcher({}, embedder_, clock_);
  HoldModel(batcher, answers, 0);
  ASSERT_THAT(Submit(batcher, answers, 1), IsOk());
  ASSERT_THAT(Submit(batcher, answers, 2), IsOk());
  std::thread stopper([&] { batcher.Stop(); });
  embedder_.Unblock();
  stopper.join();
  EXPECT_EQ(*answers.Wait(1), Expected(1));
  EXPECT_EQ(*answers.Wait(2), Expected(2));
  EXPECT_THAT(Submit(batcher, answers, 3), RefusedWith(Reason::kShuttingDown));
  batcher.Stop();
}

TEST_F(BatcherTest, DestructorAnswersWhatWaitsWithShuttingDown) {
  Answers answers(3);
  auto batcher = std::make_unique<Batcher>(BatcherOptions{}, embedder_, clock_);
  HoldModel(*batcher, answers, 0);
  ASSERT_THAT(Submit(*batcher, answers, 1), IsOk());
  ASSERT_THAT(Submit(*batcher, answers, 2), IsOk());
  std::thread destroyer([&] { batcher.reset(); });
  EXPECT_THAT(answers.Wait(1), RefusedWith(Reason::kShuttingDown));
  EXPECT_THAT(answers.Wait(2), RefusedWith(Reason::kShuttingDown));
  embedder_.Unblock();
  destroyer.join();
  EXPECT_EQ(*answers.Wait(0), Expected(0));
  EXPECT_THAT(embedder_.batch_sizes(), ElementsAre(1));
}

TEST_F(BatcherTest, ServesManyCallersAtOnce) {
  constexpr size_t kCallers = 8;
  constexpr size_t kFaces = 50;
  Answers answers(kCallers * kFaces);
  Batcher batcher({.max_waiting = kCallers * kFaces}, embedder_, clock_);
  std::vector<std::thread> callers;
  for (size_t c = 0; c < kCallers; ++c) {
    callers.emplace_back([&, c] {
      for (size_t i = c * kFaces; i < (c + 1) * kFaces; ++i) {
        EXPECT_THAT(Submit(batcher, answers, i), IsOk());
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (size_t i = 0; i < kCallers * kFaces; ++i) EXPECT_EQ(*answers.Wait(i), Expected(i));
  for (const size_t size : embedder_.batch_sizes()) EXPECT_LE(size, 4u);
}

}  // namespace
}  // namespace facegate
