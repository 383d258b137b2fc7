#include "trainer/photos/named_values.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "trainer/photos/list_text.h"
#include "trainer/photos/text_table.h"

namespace facegate {
namespace {

// The first of the signs that parts the first row.
StatusOr<Separator> SeparatorOf(const std::string& text) {
  for (const Separator separator : {Separator::kTab, Separator::kComma, Separator::kSemicolon}) {
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<TextRow> rows, FirstRows(text, separator, 1));
    if (!rows.empty() && rows.front().fields.size() > 1) return separator;
  }
  return Separator::kLastBlank;
}

}  // namespace

std::optional<double> NamedValue::number() const {
  double number = 0.0;
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
  const bool whole = failure == std::errc() && end == value.data() + value.size();
  return whole && std::isfinite(number) ? std::optional(number) : std::nullopt;
}

StatusOr<std::vector<NamedValue>> ReadNamedValues(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadListText(path));
  const auto separator = SeparatorOf(text);
  if (!separator.ok()) return Annotate(separator.status(), path);
  std::vector<NamedValue> values;
  const Status read = ForEachRow(text, *separator, [&](const TextRow& row) -> Status {
    if (row.fields.size() < 2 || row.fields[0].empty()) {
      return InvalidArgument(fmt::format("line {}: expected two columns", row.line));
    }
    values.push_back({.line = row.line, .name = row.fields[0], .value = row.fields[1]});
    return OkStatus();
  });
  if (!read.ok()) return Annotate(read, path);
  if (values.empty()) return InvalidArgument(path + " has no rows");
  return values;
}

}  // namespace facegate
