#include "face/embed/yielding_embedder.h"

#include <gmock/gmock.h>

#include <memory>
#include <vector>

#include "face/embed/canary.h"
#include "tests/support/fake_embedder.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Status kFull(StatusCode::kResourceExhausted, "out of memory");

class YieldingEmbedderTest : public ::testing::Test {
 protected:
  YieldingEmbedderTest() {
    auto within = std::make_unique<FakeEmbedder>(8);
    within_ = within.get();
    embedder_ = std::make_unique<YieldingEmbedder>(std::move(within));
  }
  StatusOr<std::vector<Embedding>> Embed(int count) {
    return embedder_->Embed(std::span(faces_).first(static_cast<size_t>(count)));
  }

  const std::vector<AlignedFace> faces_ = CanaryFaces(1, 9, AlignmentTemplate::kArcFace112);
  FakeEmbedder* within_ = nullptr;
  std::unique_ptr<YieldingEmbedder> embedder_;
};

TEST_F(YieldingEmbedderTest, AnswersQueueFullWhenMemoryRunsOut) {
  within_->FailWith(kFull);
  const auto refused = Embed(8);
  EXPECT_EQ(ReasonOf(refused.status()), Reason::kQueueFull);
  EXPECT_TRUE(RetryAfterOf(refused.status()).has_value());
  EXPECT_THAT(std::string(MessageOf(refused.status())), HasSubstr("memory for 8 faces"));
}

TEST_F(YieldingEmbedderTest, HalvesTheBatchAndGoesOn) {
  within_->FailWith(kFull);
  EXPECT_FALSE(Embed(8).ok());
  EXPECT_EQ(embedder_->max_batch(), 4);
  within_->FailWith(OkStatus());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto embeddings, Embed(7));
  EXPECT_EQ(embeddings.size(), 7U);
  EXPECT_THAT(within_->batch_sizes(), ElementsAre(8U, 4U, 3U));
  EXPECT_EQ(embeddings[6], within_->Embed(std::span(faces_).subspan(6, 1)).value().front());
}

TEST_F(YieldingEmbedderTest, NeverAsksForLessThanOneFace) {
  within_->FailWith(kFull);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(Embed(1).ok());
  EXPECT_EQ(embedder_->max_batch(), 1);
}

TEST_F(YieldingEmbedderTest, OtherErrorsAreTheCallersAndChangeNothing) {
  within_->FailWith(Unavailable("the card is lost"));
  EXPECT_THAT(Embed(8), StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(embedder_->max_batch(), 8);
  EXPECT_THAT(Embed(9), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
