#include "face/embed/proven_embedder.h"

#include <gmock/gmock.h>

#include <array>
#include <map>
#include <utility>
#include <vector>

#include "face/embed/canary.h"
#include "tests/support/fake_embedder.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::array kAll = {Precision::kBf16, Precision::kFp16, Precision::kTf32,
                             Precision::kFp32};

// An embedder that is wrong by `error` in one number.
class InexactEmbedder : public Embedder {
 public:
  InexactEmbedder(ModelCard card, float error) : card_(std::move(card)), error_(error) {}
  const ModelCard& card() const override { return card_; }
  const Compute& compute() const override { return compute_; }
  int max_batch() const override { return 8; }
  StatusOr<std::vector<Embedding>> Embed(std::span<const AlignedFace> faces) override {
    FACEGATE_ASSIGN_OR_RETURN(const auto exact, fake_.Embed(faces));
    std::vector<Embedding> embeddings;
    for (const Embedding& one : exact) {
      std::vector<float> values(one.values().begin(), one.values().end());
      values[0] += error_;
      embeddings.push_back(Embedding::Normalize(values).value());
    }
    return embeddings;
  }

 private:
  const ModelCard card_;
  const Compute compute_;
  const float error_;
  FakeEmbedder fake_;
};

class ProvenEmbedderTest : public ::testing::Test {
 protected:
  ProvenEmbedderTest() { card_.canary = RecordCanary(exact_, 3, 4).value(); }

  StatusOr<std::unique_ptr<Embedder>> Make(std::span<const Precision> precisions) {
    return MakeProvenEmbedder(precisions, [this](Precision precision) {
      made_.push_back(precision);
      return StatusOr<std::unique_ptr<Embedder>>(
          std::make_unique<InexactEmbedder>(card_, errors_[precision]));
    });
  }

  FakeEmbedder exact_;
  ModelCard card_ = exact_.card();
  std::map<Precision, float> errors_;
  std::vector<Precision> made_;
};

TEST_F(ProvenEmbedderTest, TakesTheFirstThatServes) {
  errors_[Precision::kBf16] = 0.01f;  // 5e-5 of the cosine
  EXPECT_THAT(Make(kAll), IsOk());
  EXPECT_THAT(made_, ElementsAre(Precision::kBf16));
}

TEST_F(ProvenEmbedderTest, GoesOnToTheNextFinerWhereTheCanaryDiffers) {
  errors_[Precision::kBf16] = 0.2f;
  errors_[Precision::kFp16] = 0.03f;  // 4.5e-4: it would serve as bf16
  ::testing::internal::CaptureStderr();
  EXPECT_THAT(Make(kAll), IsOk());
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(made_, ElementsAre(Precision::kBf16, Precision::kFp16, Precision::kTf32));
  EXPECT_THAT(log, HasSubstr("precision bf16 does not serve this model"));
  EXPECT_THAT(log, HasSubstr("precision fp16 does not serve this model"));
}

TEST_F(ProvenEmbedderTest, RefusesAModelThatNoPrecisionServes) {
  for (const Precision precision : kAll) errors_[precision] = 0.5f;
  const auto embedder = Make(kAll);
  EXPECT_THAT(embedder, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(embedder.status())), HasSubstr("canary differs"));
}

TEST_F(ProvenEmbedderTest, ComparesWithTheFinestWhereTheCardHasNoCanary) {
  card_.canary.reset();
  errors_[Precision::kFp16] = 0.2f;
  EXPECT_THAT(Make(std::span(kAll).subspan(1)), IsOk());
  EXPECT_THAT(made_,
              ElementsAre(Precision::kFp16, Precision::kFp32, Precision::kFp16, Precision::kTf32));
}

TEST_F(ProvenEmbedderTest, ALostCardIsNotAskedInAnotherPrecision) {
  int made = 0;
  const auto embedder =
      MakeProvenEmbedder(kAll, [&](Precision) -> StatusOr<std::unique_ptr<Embedder>> {
        ++made;
        auto lost = std::make_unique<FakeEmbedder>();
        lost->mutable_card().canary = card_.canary;
        lost->FailWith(Unavailable("the card is lost"));
        return lost;
      });
  EXPECT_THAT(embedder, StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(made, 1);
}

TEST_F(ProvenEmbedderTest, GivesAnErrorOfMakingAtOnce) {
  const auto embedder = MakeProvenEmbedder(kAll, [](Precision) {
    return StatusOr<std::unique_ptr<Embedder>>(
        Status(StatusCode::kResourceExhausted, "the card is full"));
  });
  EXPECT_THAT(embedder, StatusIs(StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace facegate
