#include "trainer/run/batch_feed.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/support/status_matchers.h"
#include "tests/trainer/learn/fake_card.h"
#include "tests/trainer/learn/stripes.h"

namespace facegate {
namespace {

// Gives so many batches of stripes, and then an error.
class StripesLoader final : public Loader {
 public:
  explicit StripesLoader(size_t batches) : batches_(batches) {}
  StatusOr<std::unique_ptr<Batch>> Next() override {
    if (next_ == batches_) return NotFound("no more photos");
    return std::make_unique<Batch>(StripesAt(next_++));
  }
  size_t steps_per_epoch() const override { return batches_; }

 private:
  const size_t batches_;
  size_t next_ = 0;
};

TEST(BatchFeedTest, ShipsBatchesInTheirOrder) {
  FakeCard::Calls calls;
  const auto training = Training::CreateOn(std::make_shared<FakeCard>(calls), StripesOptions());
  ASSERT_THAT(training, IsOk());
  StripesLoader loader(3);
  BatchFeed feed(loader, **training);
  for (size_t step = 0; step < 3; ++step) {
    const auto fed = feed.Next();
    ASSERT_THAT(fed, IsOk());
    EXPECT_EQ(fed->batch->step, step);
    ASSERT_TRUE(fed->shipped.has_value());
    EXPECT_EQ(fed->shipped->batch.input[0][0][0][0].item<float>(), fed->batch->pixels[0]);
  }
  EXPECT_THAT(feed.Next(), StatusIs(StatusCode::kNotFound));
  EXPECT_EQ(calls.shipments, 3);
}

TEST(BatchFeedTest, ShipsNothingOnTheCpu) {
  const auto training = BeginTraining(StripesOptions());
  StripesLoader loader(1);
  BatchFeed feed(loader, *training);
  const auto fed = feed.Next();
  ASSERT_THAT(fed, IsOk());
  EXPECT_FALSE(fed->shipped.has_value());
  EXPECT_THAT(feed.Next(), StatusIs(StatusCode::kNotFound));
}

TEST(BatchFeedTest, WaitsForWhatIsOnItsWay) {
  FakeCard::Calls calls;
  const auto training = Training::CreateOn(std::make_shared<FakeCard>(calls), StripesOptions());
  ASSERT_THAT(training, IsOk());
  StripesLoader loader(5);
  {
    BatchFeed feed(loader, **training);
    ASSERT_THAT(feed.Next(), IsOk());
  }
  EXPECT_EQ(calls.shipments, 2) << "one that was asked for, and the next";
}

}  // namespace
}  // namespace facegate
