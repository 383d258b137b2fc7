#include "trainer/embeddings/projector_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>
#include <vector>

#include "face/base/file.h"
#include "trainer/photos/npy_file.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxBytes = 64ULL << 30;

std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string_view IdentityOf(std::string_view name) {
  const size_t slash = name.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return "-";
  const std::string_view folder = name.substr(0, slash);
  return folder.substr(folder.rfind('/') + 1);
}

// A field of a line: tabs would part it.
std::string Field(std::string_view text) {
  std::string field(text);
  std::replace(field.begin(), field.end(), '\t', ' ');
  return field;
}

}  // namespace

StatusOr<size_t> WriteProjectorFiles(const std::string& npy, const std::string& names,
                                     const std::string& prefix) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(npy, kMaxBytes));
  StatusOr<NpyArray> array = ParseNpy(bytes);
  if (!array.ok()) return Annotate(array.status(), npy);
  FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadFile(names, kMaxBytes));
  const std::vector<std::string_view> lines = LinesOf(text);
  if (array->shape.size() != 2 || array->shape[0] != lines.size()) {
    return InvalidArgument(fmt::format("{} has {} rows, {} has {} names", npy,
                                       array->shape.empty() ? 0 : array->shape.front(), names,
                                       lines.size()));
  }
  std::string vectors;
  std::string metadata = "name\tidentity\n";
  size_t written = 0;
  const size_t width = array->shape[1];
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto row = std::span(array->values).subspan(i * width, width);
    if (std::any_of(row.begin(), row.end(), [](float one) { return std::isnan(one); })) continue;
    for (size_t d = 0; d < width; ++d) {
      vectors += fmt::format("{}{}", d == 0 ? "" : "\t", row[d]);
    }
    vectors += "\n";
    metadata += fmt::format("{}\t{}\n", Field(lines[i]), Field(IdentityOf(lines[i])));
    ++written;
  }
  FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(prefix + ".vectors.tsv", vectors));
  FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(prefix + ".metadata.tsv", metadata));
  return written;
}

}  // namespace facegate
