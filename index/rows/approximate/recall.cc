#include "index/rows/approximate/recall.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "index/rows/approximate/background_threads.h"
#include "index/rows/float_dot.h"

namespace facegate {
namespace {

constexpr size_t kMostProbes = 200;
constexpr size_t kLeastProbes = 50;
constexpr size_t kMostScores = 400'000'000;  // of all probes with all rows: half a minute
constexpr size_t kScoresAtOnce = 100'000;    // between two questions

constexpr float kNoScore = -std::numeric_limits<float>::infinity();

// Something near a row, as another photo of a person is: a row itself is easier to find, because
// who is near it was found when it was taken in. Leaves none behind in memory that others get.
class Probe {
 public:
  // The noise is as long as the row, so that the two have a cosine of about 0.7.
  Probe(size_t part, uint32_t node, std::span<const float> row, std::mt19937& random)
      : part_(part), node_(node), query_(row.begin(), row.end()) {
    const float scale = 1.0f / std::sqrt(static_cast<float>(row.size()));
    std::normal_distribution<float> noise(0.0f, scale);
    for (float& value : query_) value += noise(random);
    const float norm = std::sqrt(FloatDot(query_, query_));
    for (float& value : query_) value /= norm;
    best_.fill(kNoScore);
  }
  ~Probe() { Wipe(); }
  Probe(const Probe&) = delete;
  Probe(Probe&&) noexcept = default;
  Probe& operator=(const Probe&) = delete;

  std::span<const float> query() const { return query_; }
  bool IsWiped() const { return query_.empty(); }
  // Where its row has gone, nothing made of that is kept.
  void FollowRow(const TakenRows& taken) {
    if ((*taken.parts[part_].nodes)[node_].vector == nullptr) Wipe();
  }
  void Offer(float score) {
    if (!(score > best_[0])) return;
    size_t place = 0;
    for (; place + 1 < best_.size() && best_[place + 1] < score; ++place) {
      best_[place] = best_[place + 1];
    }
    best_[place] = score;
  }
  // How many scores it was offered, kMeasuredBest at most, and how many of `scores` are as high.
  size_t best() const {
    return best_.size() - static_cast<size_t>(std::count(best_.begin(), best_.end(), kNoScore));
  }
  size_t Reached(const std::vector<PlacedScore>& scores) const {
    const float least = best_[best_.size() - best()];
    const auto reached = static_cast<size_t>(std::count_if(
        scores.begin(), scores.end(), [&](const auto& other) { return other.score >= least; }));
    return std::min(best(), reached);
  }

 private:
  void Wipe() {
    std::fill(query_.begin(), query_.end(), 0.0f);
    query_.clear();
  }

  size_t part_ = 0;
  uint32_t node_ = 0;
  std::vector<float> query_;
  std::array<float, kMeasuredBest> best_{};  // the highest scores, the least one first
};

class RecallMeter {
 public:
  RecallMeter(const std::function<std::shared_ptr<const TakenRows>()>& current, size_t dimension,
              const StopCheck& between)
      : current_(current), dimension_(dimension), between_(between) {}

  // Near every so many-th row.
  void DrawProbes() {
    const auto taken = current_();
    const size_t left = taken->left();
    if (left == 0) return;
    const size_t wanted = std::clamp(kMostScores / left, kLeastProbes, kMostProbes);
    const size_t step = std::max<size_t>(1, left / wanted);
    size_t number = 0;
    for (size_t part = 0; part < taken->parts.size(); ++part) {
      const RowNodes& nodes = *taken->parts[part].nodes;
      for (size_t node = 0; node < nodes.size(); ++node) {
        const float* const vector = nodes[node].vector;
        if (vector == nullptr || number++ % step != 0) continue;
        probes_.emplace_back(part, static_cast<uint32_t>(node), std::span(vector, dimension_),
                             random_);
        if (probes_.size() == wanted) return;
      }
    }
  }

  Status ScoreAll() {
    const size_t nodes_at_once = kScoresAtOnce / std::max<size_t>(1, probes_.size()) + 1;
    for (size_t part = 0;; ++part) {
      for (size_t begin = 0;; begin += nodes_at_once) {
        FACEGATE_RETURN_IF_ERROR(Ask(between_));
        const auto taken = current_();
        if (part == taken->parts.size()) return OkStatus();
        if (begin >= taken->parts[part].nodes->size()) break;
        ScoreSome(*taken, part, begin, begin + nodes_at_once);
      }
    }
  }

  StatusOr<std::optional<double>> RecallAt(size_t effort) {
    size_t wanted = 0;
    size_t found = 0;
    for (Probe& probe : probes_) {
      FACEGATE_RETURN_IF_ERROR(Ask(between_));
      const auto taken = current_();
      probe.FollowRow(*taken);
      if (probe.IsWiped() || probe.best() == 0) continue;
      FACEGATE_ASSIGN_OR_RETURN(
          const auto scores, SearchTaken(*taken, probe.query(), kMeasuredWanted, effort, between_));
      wanted += probe.best();
      found += probe.Reached(scores);
    }
    if (wanted == 0) return std::optional<double>();
    return std::optional<double>(static_cast<double>(found) / static_cast<double>(wanted));
  }

 private:
  void ScoreSome(const TakenRows& taken, size_t part, size_t begin, size_t end) {
    const RowNodes& nodes = *taken.parts[part].nodes;
    end = std::min(end, nodes.size());
    ForEachOnThreads(BackgroundThreads(), probes_.size(), [&](size_t, size_t number) {
      Probe& probe = probes_[number];
      probe.FollowRow(taken);
      if (probe.IsWiped()) return;
      for (size_t node = begin; node < end; ++node) {
        const float* const vector = nodes[node].vector;
        if (vector != nullptr) probe.Offer(FloatDot(probe.query(), {vector, dimension_}));
      }
    });
  }

  const std::function<std::shared_ptr<const TakenRows>()>& current_;
  const size_t dimension_;
  const StopCheck& between_;
  std::mt19937 random_{3};
  std::vector<Probe> probes_;
};

}  // namespace

StatusOr<MeasuredRecall> MeasureRecall(
    const std::function<std::shared_ptr<const TakenRows>()>& current, double wanted,
    size_t dimension, const StopCheck& between) {
  RecallMeter meter(current, dimension, between);
  meter.DrawProbes();
  FACEGATE_RETURN_IF_ERROR(meter.ScoreAll());
  MeasuredRecall measured;
  for (size_t effort = 0; effort < kEfforts; ++effort) {
    FACEGATE_ASSIGN_OR_RETURN(measured.recall, meter.RecallAt(effort));
    measured.effort = effort;
    if (measured.recall.has_value() && *measured.recall >= wanted) break;
  }
  return measured;
}

}  // namespace facegate
