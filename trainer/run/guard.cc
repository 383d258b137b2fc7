#include "trainer/run/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>

namespace facegate {
namespace {

// Running means forget so much in a step.
constexpr double kForget = 0.02;
constexpr int64_t kLeastPatience = 300;
constexpr double kTimesChance = 2.0;
constexpr double kGrowth = 2.0;
constexpr double kFall = 0.4;
constexpr double kTimesChanceBeforeFall = 10.0;
// Accuracy on training photos from which pairs should be told apart as well.
constexpr double kLearned = 0.5;
constexpr double kAtHalf = 0.02;
// Colours that differ by less count as grey.
constexpr double kGrey = 2.0;
constexpr size_t kLeastColoured = 20;
constexpr double kSwappedShare = 0.8;

}  // namespace

TrainingGuard::TrainingGuard(size_t identities, int64_t warmup_batches)
    : chance_(1.0 / static_cast<double>(std::max<size_t>(1, identities))),
      patience_(warmup_batches + kLeastPatience) {}

std::optional<std::string> TrainingGuard::Step(const report::StepRow& row) {
  if (!std::isfinite(row.loss)) return std::nullopt;
  if (steps_ == 0) {
    loss_ = row.loss;
    accuracy_ = row.accuracy;
  }
  loss_ += kForget * (row.loss - loss_);
  if (std::isfinite(row.accuracy)) accuracy_ += kForget * (row.accuracy - accuracy_);
  best_accuracy_ = std::max(best_accuracy_, accuracy_);
  if (++steps_ == kLeastPatience / 2) first_loss_ = loss_;
  if (steps_ < patience_) return std::nullopt;
  if (!said_chance_ && accuracy_ < kTimesChance * chance_) {
    said_chance_ = true;
    return fmt::format(
        "after {} batches the accuracy on the training photos is {:.3f} %, where guessing gives "
        "{:.3f} %: nothing is learned. Try a learning rate ten times smaller, a margin warm-up "
        "(head.margin_warmup) or optimizer.clip_norm; look at the labels with facegate-train "
        "inspect",
        steps_, 100.0 * accuracy_, 100.0 * chance_);
  }
  if (!said_fall_ && best_accuracy_ > std::min(kLearned, kTimesChanceBeforeFall * chance_) &&
      accuracy_ < kFall * best_accuracy_) {
    said_fall_ = true;
    return fmt::format(
        "the accuracy on the training photos has fallen from {:.1f} % to {:.1f} %: the margin asks "
        "for more than was learned, and embeddings turn away from all identities. Try a smaller "
        "head.margin, head.scale or schedule.rate, or a longer head.margin_warmup",
        100.0 * best_accuracy_, 100.0 * accuracy_);
  }
  if (!said_growth_ && loss_ > kGrowth * first_loss_) {
    said_growth_ = true;
    return fmt::format("the loss has grown from {:.3f} to {:.3f}: the learning rate is too high",
                       first_loss_, loss_);
  }
  return std::nullopt;
}

std::optional<std::string> TrainingGuard::Evaluation(const report::EvaluationRow& row) {
  if (said_pairs_ || steps_ < patience_ || accuracy_ < kLearned) return std::nullopt;
  if (!(std::abs(row.accuracy - 0.5) < kAtHalf)) return std::nullopt;
  said_pairs_ = true;
  return fmt::format(
      "the training photos are learned ({:.1f} %), but pairs of {} are told apart no better than "
      "by a coin ({:.1f} %): their photos may be aligned in another way or have another order of "
      "colours, or their pairs may be wrong",
      100.0 * accuracy_, row.set, 100.0 * row.accuracy);
}

std::optional<std::string> SwappedChannels(const Dataset& dataset, size_t most) {
  const size_t stride = std::max<size_t>(1, dataset.size() / std::max<size_t>(1, most));
  size_t coloured = 0;
  size_t bluer = 0;
  for (size_t i = 0; i < dataset.size(); i += stride) {
    const auto picture = dataset.Load(i);
    if (!picture.ok() || picture->channels() != 3) continue;
    const cv::Rect middle(picture->cols / 4, picture->rows / 4, std::max(1, picture->cols / 2),
                          std::max(1, picture->rows / 2));
    const cv::Scalar mean = cv::mean((*picture)(middle));
    if (std::abs(mean[2] - mean[0]) < kGrey) continue;
    coloured += 1;
    bluer += mean[0] > mean[2] ? 1 : 0;
  }
  const double share =
      static_cast<double>(bluer) / static_cast<double>(std::max<size_t>(1, coloured));
  if (coloured < kLeastColoured || share < kSwappedShare) return std::nullopt;
  return fmt::format(
      "in {} of {} photos the middle of the face is bluer than red: red and blue look swapped in "
      "the files. A network trained on them needs data.colour of the other order, and so does "
      "everybody who uses it",
      bluer, coloured);
}

}  // namespace facegate
