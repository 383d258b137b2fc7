#include "clients/cli/table.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "clients/cli/unicode_text.h"

namespace facegate {
namespace {

constexpr std::string_view kGap = "  ";
constexpr size_t kLeastWrapped = 8;  // columns; narrower ones cannot be read

// How many bytes of `text` make its first line.
size_t FirstLine(std::string_view text, size_t columns) {
  const size_t whole = BytesThatFit(text, columns);
  if (whole == text.size()) return whole;
  const size_t pause = text.substr(0, whole).find_last_of(" /");
  return pause == std::string_view::npos || pause < whole / 2 ? whole : pause + 1;
}

void RemoveTrailingSpaces(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

}  // namespace

std::vector<std::string> WrapText(std::string_view text, size_t columns) {
  std::vector<std::string> lines;
  do {
    const size_t bytes = columns == 0 ? text.size() : FirstLine(text, columns);
    lines.emplace_back(text.substr(0, bytes));
    RemoveTrailingSpaces(lines.back());
    text.remove_prefix(bytes);
  } while (!text.empty());
  return lines;
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  for (const Column& column : columns_) widths_.push_back(DisplayWidth(column.header));
}

void Table::AddRow(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (size_t i = 0; i < cells.size(); ++i) {
    cells[i] = Printable(cells[i]);
    widths_[i] = std::max(widths_[i], DisplayWidth(cells[i]));
  }
  rows_.push_back(std::move(cells));
}

std::vector<size_t> Table::WidthsWithin(size_t most_columns) const {
  std::vector<size_t> widths = widths_;
  const size_t gaps = columns_.empty() ? 0 : kGap.size() * (columns_.size() - 1);
  size_t total = std::accumulate(widths.begin(), widths.end(), gaps);
  while (most_columns != 0 && total > most_columns) {
    size_t widest = columns_.size();
    for (size_t i = 0; i < columns_.size(); ++i) {
      const size_t least = std::max(kLeastWrapped, DisplayWidth(columns_[i].header));
      if (!columns_[i].wraps || widths[i] <= least) continue;
      if (widest == columns_.size() || widths[i] > widths[widest]) widest = i;
    }
    if (widest == columns_.size()) break;  // as narrow as it can be
    --widths[widest];
    --total;
  }
  return widths;
}

void Table::Print(std::ostream& out, size_t most_columns) const {
  const std::vector<size_t> widths = WidthsWithin(most_columns);
  std::vector<std::string> headers;
  for (const Column& column : columns_) headers.push_back(column.header);
  PrintRow(headers, widths, out);
  for (const auto& row : rows_) PrintRow(row, widths, out);
}

void Table::PrintRow(const std::vector<std::string>& cells, const std::vector<size_t>& widths,
                     std::ostream& out) const {
  std::vector<std::vector<std::string>> wrapped;
  size_t lines = 1;
  for (size_t i = 0; i < cells.size(); ++i) {
    wrapped.push_back(WrapText(cells[i], widths[i]));
    lines = std::max(lines, wrapped.back().size());
  }
  for (size_t number = 0; number < lines; ++number) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) line += kGap;
      const std::string text = number < wrapped[i].size() ? wrapped[i][number] : "";
      const std::string padding(widths[i] - std::min(widths[i], DisplayWidth(text)), ' ');
      line += columns_[i].align == Align::kRight ? padding + text : text + padding;
    }
    RemoveTrailingSpaces(line);
    out << line << "\n";
  }
}

}  // namespace facegate
