#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "tests/trainer/parallel/group_of_threads.h"
#include "trainer/learn/class_head.h"
#include "trainer/learn/losses.h"
#include "trainer/learn/split_softmax.h"
#include "trainer/parallel/shared_operators.h"

namespace facegate {
namespace {

using torch::Tensor;

constexpr int64_t kPhotos = 6;
constexpr int64_t kClasses = 11;
constexpr int64_t kSize = 8;
constexpr double kStrength = 0.7;

Tensor Embeddings() {
  return torch::sin(torch::arange(kPhotos * kSize, torch::kDouble) * 1.3).view({kPhotos, kSize}) *
         torch::arange(3, 3 + kPhotos, torch::kDouble).unsqueeze(1);
}

Tensor Labels() { return torch::tensor({0, 10, 4, 4, 5, 7}, torch::kInt64); }

// What a step of a head says and changes.
struct Step {
  double loss = 0.0;
  double accuracy = 0.0;
  Tensor of_embeddings;
  Tensor of_weight{};
  std::vector<Tensor> learned{};
};

struct Case {
  std::string name;
  ClassHeadOptions head{};
  LossOptions loss{};
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

std::shared_ptr<ClassHead> MakeHead(const Case& one, const std::shared_ptr<ProcessGroup>& group) {
  auto head = ClassHead::Create(one.head, group);
  EXPECT_THAT(head, IsOk());
  (*head)->to(torch::kDouble);
  return *std::move(head);
}

void Finish(ClassHead& head, Step& step) {
  step.of_weight = head.parameters()[0].grad();
  for (const auto& buffer : head.rule_buffers()) step.learned.push_back(buffer.value.clone());
}

Step WholeStep(const Case& one) {
  const auto head = MakeHead(one, nullptr);
  Tensor embeddings = Embeddings().set_requires_grad(true);
  const HeadOutput output = head->Forward(embeddings, Labels(), 3, kStrength);
  Tensor loss = ClassificationLoss(output.logits, output.labels, one.loss);
  if (output.added_loss.defined()) loss = loss + output.added_loss;
  loss.backward();
  Step step{
      .loss = loss.item<double>(),
      .accuracy =
          (output.cosines.argmax(1) == output.labels).to(torch::kDouble).mean().item<double>(),
      .of_embeddings = embeddings.grad()};
  Finish(*head, step);
  return step;
}

// Of process `rank`, with the gradients of all put together.
Step SplitStep(const Case& one, const std::shared_ptr<ProcessGroup>& group) {
  const auto head = MakeHead(one, group);
  const int64_t own = kPhotos / group->size();
  Tensor embeddings =
      Embeddings().narrow(0, group->rank() * own, own).clone().set_requires_grad(true);
  const Tensor labels = RowsOfAll(Labels().narrow(0, group->rank() * own, own), *group);
  const HeadOutput output = head->Forward(RowsOfAll(embeddings, *group), labels, 3, kStrength);
  Tensor loss = SplitClassificationLoss(output, kClasses, one.loss, *group);
  if (output.added_loss.defined()) loss = loss + output.added_loss;
  (loss / group->size()).backward();
  Step step{.loss = loss.item<double>(),
            .accuracy = SplitAccuracy(output, *group).item<double>(),
            .of_embeddings = GatherRows(embeddings.grad(), *group).value()};
  Finish(*head, step);
  step.of_weight = GatherRows(step.of_weight, *group).value();
  return step;
}

std::vector<Case> Cases() {
  const ClassHeadOptions head{.classes = kClasses,
                              .embedding_size = kSize,
                              .margin = {.kind = "arcface", .scale = 8.0, .margin = 0.3}};
  std::vector<Case> cases;
  for (const std::string& kind : MarginKinds()) {
    cases.push_back({.name = kind, .head = head});
    cases.back().head.margin.kind = kind;
  }
  const auto add = [&](const std::string& name) -> Case& {
    cases.push_back({.name = name, .head = head});
    return cases.back();
  };
  add("linear").head.linear = true;
  add("sub_centers").head.sub_centers = 3;
  add("sampled").head.sample_rate = 0.6;
  add("sampled_but_the_batch").head.sample_rate = 1e-3;
  add("filtered").head.interclass_filter = 0.1;
  add("focal").loss.focal_gamma = 2.0;
  add("smoothed").loss.label_smoothing = 0.2;
  Case& both = add("sampled_and_smoothed");
  both.head.sample_rate = 0.6;
  both.loss.label_smoothing = 0.2;
  return cases;
}

class SplitHeadTest : public WithGloo, public ::testing::WithParamInterface<Case> {};

TEST_P(SplitHeadTest, IsTheWholeHead) {
  const Step whole = WholeStep(GetParam());
  for (const int size : {2, 3}) {
    InGroup(size, [&](const auto& group) {
      const Step split = SplitStep(GetParam(), group);
      EXPECT_NEAR(split.loss, whole.loss, 1e-12 * whole.loss);
      EXPECT_NEAR(split.accuracy, whole.accuracy, 1e-6);
      EXPECT_TRUE(split.of_embeddings.allclose(whole.of_embeddings, 1e-10, 1e-12));
      EXPECT_TRUE(split.of_weight.allclose(whole.of_weight, 1e-10, 1e-12));
      for (size_t i = 0; i < whole.learned.size(); ++i) {
        EXPECT_TRUE(split.learned[i].allclose(whole.learned[i], 1e-12, 1e-12));
      }
    });
  }
}

INSTANTIATE_TEST_SUITE_P(HeadsAndLosses, SplitHeadTest, ::testing::ValuesIn(Cases()),
                         [](const auto& one) { return one.param.name; });

TEST(SplitHeadOptionsTest, NeedsAClassForEachProcess) {
  if (!HasGloo()) GTEST_SKIP() << "this build's LibTorch has no Gloo";
  InGroup(3, [](const auto& group) {
    EXPECT_THAT(ClassHead::Create({.classes = 2, .embedding_size = 4}, group),
                StatusIs(StatusCode::kInvalidArgument));
  });
}

}  // namespace
}  // namespace facegate
