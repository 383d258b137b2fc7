#include "trainer/measure/embedding_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace facegate {
namespace {

// Divides by the length; false when there is none, or it is not finite.
bool Normalize(std::span<double> row) {
  double squares = 0.0;
  for (const double value : row) squares += value * value;
  const double length = std::sqrt(squares);
  if (!std::isfinite(length) || length < 1e-12) return false;
  for (double& value : row) value /= length;
  return true;
}

}  // namespace

StatusOr<MirrorRule> MirrorRuleFromName(std::string_view name) {
  if (name == "none") return MirrorRule::kPlain;
  if (name == "sum") return MirrorRule::kSum;
  if (name == "concat") return MirrorRule::kConcat;
  return InvalidArgument(fmt::format("{} is not one of none, sum, concat", name));
}

StatusOr<NoFaceRule> NoFaceRuleFromName(std::string_view name) {
  if (name == "fail") return NoFaceRule::kFail;
  if (name == "miss") return NoFaceRule::kMiss;
  return InvalidArgument(fmt::format("{} is not one of fail, miss", name));
}

StatusOr<EmbeddingSet> EmbeddingSet::Make(std::vector<std::string> names, size_t dimension,
                                          std::span<const float> raw,
                                          std::span<const float> mirrored, MirrorRule rule,
                                          NoFaceRule no_face) {
  const size_t expected = names.size() * dimension;
  if (dimension == 0 || raw.size() != expected) {
    return InvalidArgument(fmt::format("{} photos with {} values each need {} values, there are {}",
                                       names.size(), dimension, expected, raw.size()));
  }
  if (rule != MirrorRule::kPlain && mirrored.size() != expected) {
    return InvalidArgument(fmt::format("embeddings of the mirror images: {} values, expected {}",
                                       mirrored.size(), expected));
  }
  EmbeddingSet set;
  set.dimension_ = rule == MirrorRule::kConcat ? 2 * dimension : dimension;
  set.values_.resize(names.size() * set.dimension_);
  for (size_t i = 0; i < names.size(); ++i) {
    const std::span<double> row =
        std::span(set.values_).subspan(i * set.dimension_, set.dimension_);
    for (size_t j = 0; j < dimension; ++j) {
      row[j] = static_cast<double>(raw[i * dimension + j]);
      if (rule == MirrorRule::kPlain) continue;
      const auto other = static_cast<double>(mirrored[i * dimension + j]);
      if (rule == MirrorRule::kSum) {
        row[j] += other;
      } else {
        row[dimension + j] = other;
      }
    }
    const bool nothing =
        std::all_of(row.begin(), row.end(), [](double v) { return std::isnan(v); });
    if (nothing && no_face == NoFaceRule::kMiss) {
      ++set.without_face_;
    } else if (!Normalize(row)) {
      return InvalidArgument(
          fmt::format("the embedding of {} is all zero or not finite", names[i]));
    }
    if (!set.index_.emplace(names[i], i).second) {
      return InvalidArgument(fmt::format("{} is there twice", names[i]));
    }
  }
  set.names_ = std::move(names);
  return set;
}

StatusOr<size_t> EmbeddingSet::IndexOf(const std::string& name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) return NotFound(fmt::format("there is no embedding of {}", name));
  return found->second;
}

double CosineOf(std::span<const double> a, std::span<const double> b) {
  double sum = 0.0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return std::isnan(sum) ? kNoScore : sum;
}

double EmbeddingSet::Score(size_t a, size_t b) const { return CosineOf(row(a), row(b)); }

}  // namespace facegate
