#include "trainer/run/network_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <sstream>

#include "face/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

// Learns nothing; its checkpoint is the number of its epochs.
class CountedTraining final : public NetworkTraining {
 public:
  int64_t batches_per_epoch() const override { return 1; }
  int64_t epochs_done() const override { return epochs_; }
  StatusOr<NetworkWeights> Weights() override { return NetworkWeights{}; }
  Status Save(const std::string& path) override {
    return WriteFileAtomically(path, std::to_string(epochs_));
  }
  Status Resume(const std::string& path) override {
    FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, 100));
    if (text == "other") return FailedPrecondition("is of another training");
    epochs_ = std::stoll(text);
    return OkStatus();
  }
  Status Run() {
    ++epochs_;
    return OkStatus();
  }

 private:
  int64_t epochs_ = 0;
};

class NetworkRunTest : public ::testing::Test {
 protected:
  StatusOr<bool> Run(CountedTraining& training, const WorkFolder& work, int64_t epochs) {
    return RunEpochsLeft(
        epochs, work, training, session_,
        [&](const std::function<void()>& on_batch) {
          on_batch();
          return training.Run();
        },
        [&] {
          if (training.epochs_done() == signal_after_) std::raise(SIGINT);
          return OkStatus();
        });
  }

  const TempDir dir_;
  NetworkRunOptions options_{.out = dir_.File("net.safetensors")};
  std::ostringstream out_;
  std::ostringstream progress_;
  Session session_{{.out = out_, .progress = progress_, .threads = 1}};
  int64_t signal_after_ = -1;
};

TEST_F(NetworkRunTest, GoesOnAfterTheLastCheckpoint) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const WorkFolder work, WorkFolder::Open(options_));
  CountedTraining first;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const bool finished, Run(first, work, 2));
  EXPECT_TRUE(finished);
  CountedTraining second;
  ASSERT_THAT(work.Resume(second, session_), IsOk());
  EXPECT_EQ(second.epochs_done(), 2);
  EXPECT_EQ(out_.str(), "going on after epoch 2\n");
}

TEST_F(NetworkRunTest, StopsAfterTheEpochInWhichASignalCame) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const WorkFolder work, WorkFolder::Open(options_));
  signal_after_ = 1;
  CountedTraining training;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const bool finished, Run(training, work, 5));
  EXPECT_FALSE(finished);
  EXPECT_EQ(training.epochs_done(), 1);
  EXPECT_EQ(ReadFile(work.checkpoint(), 100).value(), "1");
}

TEST_F(NetworkRunTest, StartsFromScratchWhereThatIsAskedFor) {
  options_.restart = true;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const WorkFolder work, WorkFolder::Open(options_));
  ASSERT_THAT(WriteFileAtomically(work.samples(), "samples"), IsOk());
  ASSERT_THAT(WriteFileAtomically(work.checkpoint(), "7"), IsOk());
  CountedTraining training;
  EXPECT_THAT(work.Resume(training, session_), IsOk());
  EXPECT_EQ(training.epochs_done(), 0);
  EXPECT_EQ(work.KeptSamples(), std::nullopt);
}

TEST_F(NetworkRunTest, NamesTheWayOutOfAnotherTrainingsCheckpoint) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const WorkFolder work, WorkFolder::Open(options_));
  ASSERT_THAT(WriteFileAtomically(work.checkpoint(), "other"), IsOk());
  CountedTraining training;
  const Status resumed = work.Resume(training, session_);
  EXPECT_THAT(resumed, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(resumed)), HasSubstr("--restart"));
}

TEST_F(NetworkRunTest, AWorkFolderIsOpenOnce) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const WorkFolder work, WorkFolder::Open(options_));
  EXPECT_THAT(WorkFolder::Open(options_), StatusIs(StatusCode::kFailedPrecondition));
}

TEST_F(NetworkRunTest, AFolderIsCalledByItsLastName) {
  EXPECT_EQ(LastNameOf("/data/pins/"), "pins");
}

}  // namespace
}  // namespace facegate
