#include "index/rows/approximate/recall.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <vector>

#include "index/rows/float_dot.h"

namespace facegate {
namespace {

constexpr size_t kMostProbes = 200;
constexpr size_t kLeastProbes = 50;
constexpr size_t kMostScores = 400'000'000;  // of all probes with all rows: half a minute
constexpr size_t kScoresAtOnce = 100'000;    // between two questions

// A row for which the nearest others are looked for.
struct Probe {
  size_t part = 0;
  uint32_t node = 0;
  std::array<float, kMeasuredBest> best{};  // the highest scores, the least one first

  bool Is(size_t other_part, size_t other_node) const {
    return part == other_part && node == other_node;
  }
  const float* VectorIn(const TakenRows& taken) const {
    return (*taken.parts[part].nodes)[node].vector;
  }
  void Offer(float score) {
    if (!(score > best[0])) return;
    size_t place = 0;
    for (; place + 1 < best.size() && best[place + 1] < score; ++place) {
      best[place] = best[place + 1];
    }
    best[place] = score;
  }
};

class RecallMeter {
 public:
  RecallMeter(const std::function<std::shared_ptr<const TakenRows>()>& current, size_t dimension,
              const StopCheck& between)
      : current_(current), dimension_(dimension), between_(between) {}

  // Every so many-th row.
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
        if (nodes[node].vector == nullptr || number++ % step != 0) continue;
        probes_.push_back({.part = part, .node = static_cast<uint32_t>(node)});
        probes_.back().best.fill(-std::numeric_limits<float>::infinity());
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
    for (const Probe& probe : probes_) {
      FACEGATE_RETURN_IF_ERROR(Ask(between_));
      const auto taken = current_();
      const float* const vector = probe.VectorIn(*taken);
      if (vector == nullptr) continue;
      const auto best =
          static_cast<size_t>(std::count_if(probe.best.begin(), probe.best.end(), [](float score) {
            return score > -std::numeric_limits<float>::infinity();
          }));
      if (best == 0) continue;
      FACEGATE_ASSIGN_OR_RETURN(const auto scores, SearchTaken(*taken, {vector, dimension_},
                                                               kMeasuredWanted, effort, between_));
      const float least = probe.best[probe.best.size() - best];
      const auto reached = static_cast<size_t>(
          std::count_if(scores.begin(), scores.end(), [&](const PlacedScore& score) {
            return !probe.Is(score.part, score.node) && score.score >= least;
          }));
      wanted += best;
      found += std::min(best, reached);
    }
    if (wanted == 0) return std::optional<double>();
    return std::optional<double>(static_cast<double>(found) / static_cast<double>(wanted));
  }

 private:
  void ScoreSome(const TakenRows& taken, size_t part, size_t begin, size_t end) {
    std::vector<const float*> vectors;
    vectors.reserve(probes_.size());
    for (const Probe& probe : probes_) vectors.push_back(probe.VectorIn(taken));
    const RowNodes& nodes = *taken.parts[part].nodes;
    for (size_t node = begin; node < std::min(end, nodes.size()); ++node) {
      if (nodes[node].vector == nullptr) continue;
      const std::span<const float> row(nodes[node].vector, dimension_);
      for (size_t i = 0; i < probes_.size(); ++i) {
        if (vectors[i] == nullptr || probes_[i].Is(part, node)) continue;
        probes_[i].Offer(FloatDot({vectors[i], dimension_}, row));
      }
    }
  }

  const std::function<std::shared_ptr<const TakenRows>()>& current_;
  const size_t dimension_;
  const StopCheck& between_;
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
