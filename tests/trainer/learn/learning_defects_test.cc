// Mistakes that face trainers are known for, each with a test that this one does not make it. Here
// are those of learning; tests/trainer/command/eval_defects_test.cc has those of evaluation. Two
// more are tested for every margin and optimiser: EveryMarginTest.IsFiniteAtTheEnds (the root in
// sin has no derivative where the cosine is 1 or -1, and gave NaN) and ResumeTest.GoesOnToTheBit
// (the optimiser's state was saved and never read).
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "face/base/file.h"
#include "face/weights/safetensors.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/trainer/learn/stripes.h"
#include "trainer/learn/class_head.h"
#include "trainer/learn/losses.h"
#include "trainer/learn/training.h"

namespace facegate {
namespace {

using torch::Tensor;

// The focal factor was computed once, from the mean loss of the batch: an easy photo weighed as
// much as a hard one.
TEST(LearningDefectsTest, FocalLossTurnsAwayFromEasyPhotos) {
  const Tensor logits =
      torch::tensor({{6.0, 0.0}, {0.5, 0.0}}, torch::kDouble).requires_grad_(true);
  const Tensor labels = torch::zeros({2}, torch::kInt64);
  const auto share_of_easy = [&](double gamma) {
    if (logits.grad().defined()) logits.mutable_grad().zero_();
    ClassificationLoss(logits, labels, {.focal_gamma = gamma}).backward();
    const double easy = logits.grad()[0].norm().item<double>();
    return easy / (easy + logits.grad()[1].norm().item<double>());
  };
  // The two would keep their proportion by the batch's mean.
  EXPECT_LT(share_of_easy(2.0), 0.05 * share_of_easy(0.0));
}

// The accuracy that was shown was that of the logits with the margin: near 0 for a network that
// tells its people apart.
TEST(LearningDefectsTest, AccuracyIsThatOfCosinesWithoutTheMargin) {
  auto head = ClassHead::Create({.classes = 2,
                                 .embedding_size = 2,
                                 .margin = {.kind = "cosface", .scale = 8.0, .margin = 0.9}});
  ASSERT_THAT(head, IsOk());
  {
    const torch::NoGradGuard no_grad;
    (*head)->named_parameters()["weight"].copy_(torch::tensor({{1.0F, 0.0F}, {0.0F, 1.0F}}));
  }
  // Each nearer to its own centre, by less than the margin.
  const Tensor embeddings = torch::tensor({{3.0F, 2.0F}, {2.0F, 3.0F}});
  const Tensor labels = torch::tensor({0, 1}, torch::kInt64);
  const HeadOutput output = (*head)->Forward(embeddings, labels, 0, 1.0);
  const auto share = [&](const Tensor& scores) {
    return (scores.argmax(1) == output.labels).to(torch::kDouble).mean().item<double>();
  };
  EXPECT_EQ(share(output.logits), 0.0);
  EXPECT_EQ(share(output.cosines), 1.0);
}

// The same of the number that training reports: it is that of the cosines.
TEST(LearningDefectsTest, TrainingReportsTheAccuracyWithoutTheMargin) {
  constexpr size_t kInput = 3 * 112 * 112;
  TrainingOptions options;
  // The margin is such that a photo's own class is always the one with the lowest logit.
  options.head = {.classes = 2,
                  .embedding_size = 128,
                  .margin = {.kind = "cosface", .scale = 1.0, .margin = 2.0}};
  options.schedule = {.kind = "constant", .base = 1e-9, .total = 4};
  const auto training = Training::Create(options);
  ASSERT_THAT(training, IsOk()) << training.status();
  Batch batch;
  for (size_t i = 0; i < 4; ++i) {
    for (size_t at = 0; at < kInput; ++at) {
      batch.pixels.push_back(static_cast<float>(std::sin(static_cast<double>(at * (i + 1)))));
    }
    batch.labels.push_back(0);
    batch.photos.push_back(i);
  }
  const auto as_first = (*training)->Learn(batch);
  ASSERT_THAT(as_first, IsOk());
  batch.labels.assign(4, 1);
  const auto as_second = (*training)->Learn(batch);
  ASSERT_THAT(as_second, IsOk());
  // Each photo is nearest to one of the two classes, whatever its label: the shares make up 1.
  EXPECT_NEAR(as_first->accuracy + as_second->accuracy, 1.0, 1e-6);
}

// The optimiser's groups were made by the names of classes, and the head's weights were in none.
TEST(LearningDefectsTest, TheHeadLearnsWithTheBackbone) {
  const TempDir dir;
  const auto training = BeginTraining(StripesOptions());
  const auto weights_of_head = [&](const std::string& name) {
    EXPECT_THAT(training->Save(dir.File(name), {}), IsOk());
    const auto file = ParseSafetensors(ReadFile(dir.File(name), 1 << 30).value());
    EXPECT_THAT(file, IsOk());
    return file->tensors.at("head.weight").bytes;
  };
  const std::string before = weights_of_head("before");
  LearnAt(*training, 0);
  EXPECT_NE(weights_of_head("after"), before);
}

}  // namespace
}  // namespace facegate
