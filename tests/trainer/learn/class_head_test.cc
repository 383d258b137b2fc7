#include "trainer/learn/class_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "trainer/learn/losses.h"

namespace facegate {
namespace {

using torch::Tensor;

constexpr int64_t kClasses = 20;
constexpr int64_t kSize = 6;

std::shared_ptr<ClassHead> Head(ClassHeadOptions options) {
  options.classes = kClasses;
  options.embedding_size = kSize;
  auto head = ClassHead::Create(options);
  EXPECT_THAT(head, IsOk());
  return *head;
}

Tensor Embeddings() {
  return torch::sin(torch::arange(4 * kSize, torch::kFloat) * 0.7).view({4, kSize});
}
Tensor Labels() { return torch::tensor({3, 19, 0, 3}, torch::kInt64); }

TEST(ClassHeadTest, ComparesWithCentresByCosine) {
  const auto head = Head({.margin = {.kind = "softmax", .scale = 1.0}});
  const HeadOutput output = head->Forward(Embeddings(), Labels(), 0, 1.0);
  const Tensor weight = head->named_parameters()["weight"];
  for (int64_t row = 0; row < 4; ++row) {
    for (int64_t column = 0; column < kClasses; ++column) {
      const Tensor a = Embeddings()[row];
      const Tensor b = weight[column];
      const double expected = (a.dot(b) / (a.norm() * b.norm())).item<double>();
      EXPECT_NEAR(output.logits[row][column].item<double>(), expected, 1e-6);
    }
  }
}

TEST(ClassHeadTest, SamplingEverythingIsTheFullSoftmax) {
  const auto full = Head({});
  const auto sampled = Head({.sample_rate = 0.999});
  // All of the 19 that the rate asks for, and more where the batch has others.
  const HeadOutput a = full->Forward(Embeddings(), Labels(), 7, 1.0);
  const HeadOutput b = sampled->Forward(Embeddings(), Labels(), 7, 1.0);
  EXPECT_GE(b.logits.size(1), 19);
  EXPECT_TRUE(torch::equal(a.logits.index_select(1, b.classes), b.logits));
  EXPECT_TRUE(torch::equal(b.classes.index_select(0, b.labels), Labels()));
}

TEST(ClassHeadTest, SamplesTheBatchAndOthersByTheStepAlone) {
  const auto head = Head({.sample_rate = 0.3});
  const HeadOutput first = head->Forward(Embeddings(), Labels(), 1, 1.0);
  EXPECT_EQ(first.classes.size(0), 6);
  for (const int64_t label : {3, 19, 0}) {
    EXPECT_TRUE((first.classes == label).any().item<bool>());
  }
  const HeadOutput second = head->Forward(Embeddings(), Labels(), 2, 1.0);
  EXPECT_FALSE(torch::equal(first.classes, second.classes));
  const auto other = Head({.sample_rate = 0.3});
  EXPECT_TRUE(torch::equal(other->Forward(Embeddings(), Labels(), 2, 1.0).classes, second.classes));
}

TEST(ClassHeadTest, GivesNoGradientToClassesThatWereNotSampled) {
  const auto head = Head({.sample_rate = 0.3});
  const HeadOutput output = head->Forward(Embeddings(), Labels(), 1, 1.0);
  ClassificationLoss(output.logits, output.labels, {}).backward();
  const Tensor rows = head->named_parameters()["weight"].grad().abs().sum(1);
  for (int64_t label = 0; label < kClasses; ++label) {
    const bool sampled = (output.classes == label).any().item<bool>();
    EXPECT_EQ(rows[label].item<float>() > 0.0f, sampled) << label;
  }
}

TEST(ClassHeadTest, OfSubCentresTheNearestCounts) {
  const auto head = Head({.sub_centers = 3, .margin = {.kind = "softmax", .scale = 1.0}});
  const Tensor weight = head->named_parameters()["weight"];
  ASSERT_EQ(weight.size(0), 3 * kClasses);
  {
    const torch::NoGradGuard no_grad;
    weight[3 * 5 + 2].copy_(Embeddings()[1]);
  }
  const HeadOutput output = head->Forward(Embeddings(), Labels(), 0, 1.0);
  EXPECT_EQ(output.logits.size(1), kClasses);
  EXPECT_NEAR(output.logits[1][5].item<double>(), 1.0, 1e-6);
}

TEST(ClassHeadTest, ALinearHeadIsALinearLayer) {
  const auto head = Head({.linear = true});
  const HeadOutput output = head->Forward(Embeddings(), Labels(), 0, 1.0);
  const auto parameters = head->named_parameters();
  EXPECT_TRUE(torch::allclose(
      output.logits, torch::addmm(parameters["bias"], Embeddings(), parameters["weight"].t())));
}

TEST(ClassHeadTest, BeginsAlikeForOneSeed) {
  EXPECT_TRUE(torch::equal(Head({.seed = 5})->named_parameters()["weight"],
                           Head({.seed = 5})->named_parameters()["weight"]));
  EXPECT_FALSE(torch::equal(Head({.seed = 5})->named_parameters()["weight"],
                            Head({.seed = 6})->named_parameters()["weight"]));
}

TEST(ClassHeadTest, RefusesWhatHasNoMeaning) {
  const auto refused = [](const ClassHeadOptions& options) {
    EXPECT_THAT(ClassHead::Create(options), StatusIs(StatusCode::kInvalidArgument));
  };
  refused({.classes = 1, .embedding_size = 4});
  refused({.classes = 2, .embedding_size = 0});
  refused({.classes = 2, .embedding_size = 4, .sub_centers = 0});
  refused({.classes = 2, .embedding_size = 4, .sample_rate = 0.0});
  refused({.classes = 2, .embedding_size = 4, .sample_rate = 0.5, .linear = true});
  refused({.classes = 2, .embedding_size = 4, .margin = {.kind = "none"}});
}

TEST(ClassHeadTest, OtherClassesThatAreTooAlikeDoNotCount) {
  const ClassHeadOptions plain{.margin = {.kind = "softmax", .scale = 1.0}};
  ClassHeadOptions filtering = plain;
  filtering.interclass_filter = 0.3;
  const Tensor all = Head(plain)->Forward(Embeddings(), Labels(), 0, 1.0).logits;
  const Tensor counted = Head(filtering)->Forward(Embeddings(), Labels(), 0, 1.0).logits;
  const Tensor own = torch::zeros_like(all).scatter(1, Labels().unsqueeze(1), 1.0).to(torch::kBool);
  const Tensor expected = torch::where((all > 0.3) & ~own, torch::zeros_like(all), all);
  EXPECT_TRUE(((all > 0.3) & ~own).any().item<bool>());
  EXPECT_TRUE(torch::equal(counted, expected));
}

}  // namespace
}  // namespace facegate
