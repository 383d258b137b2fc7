#include "trainer/embeddings/embedding_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "trainer/photos/mapped_file.h"
#include "trainer/photos/npy_file.h"
#include "trainer/photos/text_lines.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxValueBytes = 64ULL << 30;

StatusOr<std::vector<float>> ValuesOf(std::string_view bytes, size_t rows,
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

StatusOr<EmbeddingRows> ReadEmbeddingRows(const std::string& values_path,
                                          const std::string& order_path) {
  EmbeddingRows rows;
  FACEGATE_ASSIGN_OR_RETURN(rows.names, ReadLines(order_path));
  FACEGATE_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(values_path));
  FACEGATE_ASSIGN_OR_RETURN(rows.values, ValuesOf(file->bytes(), rows.names.size(), values_path));
  rows.dimension = rows.values.size() / rows.names.size();
  return rows;
}

}  // namespace facegate
