#include "trainer/eval/embedding_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "face/base/file.h"
#include "trainer/data/text_lines.h"
#include "trainer/eval/npy_file.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxValueBytes = 64ULL << 30;

// Divides by the length; false when there is none, or it is not finite.
bool Normalize(std::span<double> row) {
  double squares = 0.0;
  for (const double value : row) squares += value * value;
  const double length = std::sqrt(squares);
  if (!std::isfinite(length) || length < 1e-12) return false;
  for (double& value : row) value /= length;
  return true;
}

StatusOr<std::vector<float>> ValuesOf(const std::string& bytes, size_t rows,
                                      const std::string& path) {
  if (IsNpy(bytes)) {
    StatusOr<NpyArray> array = ParseNpy(bytes);
    if (!array.ok()) return InvalidArgument(fmt::format("{} {}", path, MessageOf(array.status())));
    size_t found = 1;
    for (size_t i = 0; i + 1 < array->shape.size(); ++i) found *= array->shape[i];
    if (array->shape.size() < 2 || array->shape.size() > 3 || found != rows ||
        array->values.empty()) {
      return InvalidArgument(fmt::format("{} is an array of shape ({}), expected {} rows", path,
                                         fmt::join(array->shape, ", "), rows));
    }
    return std::move(array->values);
  }
  if (rows == 0 || bytes.empty() || bytes.size() % (rows * sizeof(float)) != 0) {
    return InvalidArgument(
        fmt::format("{} has {} bytes, which are not {} rows of float32", path, bytes.size(), rows));
  }
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
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

StatusOr<EmbeddingSet> ReadEmbeddingSet(const std::string& values_path,
                                        const std::string& order_path, MirrorRule rule, int sets,
                                        NoFaceRule no_face) {
  FACEGATE_ASSIGN_OR_RETURN(std::vector<std::string> names, ReadLines(order_path));
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(values_path, kMaxValueBytes));
  const size_t rows = names.size() * static_cast<size_t>(sets);
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<float> values, ValuesOf(bytes, rows, values_path));
  if (rule != MirrorRule::kPlain && sets < 2) {
    return InvalidArgument(fmt::format("{} has no embeddings of mirror images", values_path));
  }
  const size_t dimension = values.size() / rows;
  const size_t half = names.size() * dimension;
  const std::span<const float> all(values);
  const std::span<const float> mirrored =
      rule == MirrorRule::kPlain ? std::span<const float>() : all.subspan(half, half);
  return EmbeddingSet::Make(std::move(names), dimension, all.first(half), mirrored, rule, no_face);
}

}  // namespace facegate
