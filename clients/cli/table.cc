#include "clients/cli/table.h"

#include <algorithm>
#include <utility>

#include "clients/cli/unicode_text.h"

namespace facegate::cli {
namespace {

constexpr std::string_view kColumnGap = "  ";
constexpr size_t kLeastWrapped = 8;  // columns; narrower ones cannot be read

// Returns how many bytes of `text` make its first line.
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

std::vector<Table::Shown> Table::ShownWithin(size_t most_columns) const {
  std::vector<Shown> shown;
  for (size_t i = 0; i < columns_.size(); ++i) shown.push_back({i, widths_[i]});
  const auto too_wide = [&] {
    size_t total = shown.empty() ? 0 : kColumnGap.size() * (shown.size() - 1);
    for (const Shown& column : shown) total += column.width;
    return most_columns != 0 && total > most_columns;
  };
  for (size_t i = 0; i < columns_.size() && too_wide(); ++i) {
    if (!columns_[i].optional) continue;
    std::erase_if(shown, [&](const Shown& column) { return column.column == i; });
  }
  while (too_wide()) {
    Shown* widest = nullptr;
    for (Shown& column : shown) {
      const Column& of = columns_[column.column];
      const size_t least = std::max(kLeastWrapped, DisplayWidth(of.header));
      if (!of.wraps || column.width <= least) continue;
      if (widest == nullptr || column.width > widest->width) widest = &column;
    }
    if (widest == nullptr) break;  // as narrow as it can be
    --widest->width;
  }
  return shown;
}

void Table::Print(std::ostream& out, size_t most_columns) const {
  const std::vector<Shown> shown = ShownWithin(most_columns);
  std::vector<std::string> headers;
  for (const Column& column : columns_) headers.push_back(column.header);
  PrintRow(headers, shown, out);
  for (const auto& row : rows_) PrintRow(row, shown, out);
  std::string left_out;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const bool there = std::any_of(shown.begin(), shown.end(),
                                   [&](const Shown& column) { return column.column == i; });
    if (!there) left_out += (left_out.empty() ? "" : ", ") + columns_[i].header;
  }
  if (!left_out.empty()) out << "(too narrow for " << left_out << "; --json has all)\n";
}

void Table::PrintRow(const std::vector<std::string>& cells, const std::vector<Shown>& shown,
                     std::ostream& out) const {
  std::vector<std::vector<std::string>> wrapped;
  size_t lines = 1;
  for (const Shown& column : shown) {
    wrapped.push_back(WrapText(cells[column.column], column.width));
    lines = std::max(lines, wrapped.back().size());
  }
  for (size_t number = 0; number < lines; ++number) {
    std::string line;
    for (size_t i = 0; i < shown.size(); ++i) {
      if (i > 0) line += kColumnGap;
      const std::string text = number < wrapped[i].size() ? wrapped[i][number] : "";
      const size_t width = shown[i].width;
      const std::string padding(width - std::min(width, DisplayWidth(text)), ' ');
      const bool right = columns_[shown[i].column].align == Align::kRight;
      line += right ? padding + text : text + padding;
    }
    RemoveTrailingSpaces(line);
    out << line << "\n";
  }
}

}  // namespace facegate::cli
