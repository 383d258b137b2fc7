#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace facegate::cli {

// The text in lines of at most `columns` columns of a terminal, broken after a space or a slash
// where there is one in the second half of the line, else within a word. At least one line; one
// alone for 0 columns, which is no limit.
std::vector<std::string> WrapText(std::string_view text, size_t columns);

// Rows of text under a header, in columns as wide as their widest cell.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string header;
    Align align = Align::kLeft;
    // The text is broken into lines where the terminal is too narrow.
    bool wraps = false;
    // Left out, before anything is broken into lines, where the terminal is too narrow.
    bool optional = false;
  };

  explicit Table(std::vector<Column> columns);
  // One cell for each column; missing ones are empty, more are dropped.
  void AddRow(std::vector<std::string> cells);
  // Not wider than `most_columns` where columns that are optional or wrap allow it; 0 is no limit.
  // A last line names the columns that were left out.
  void Print(std::ostream& out, size_t most_columns = 0) const;

 private:
  // Says which columns are shown, and how wide.
  struct Shown {
    size_t column;
    size_t width;
  };
  std::vector<Shown> ShownWithin(size_t most_columns) const;
  void PrintRow(const std::vector<std::string>& cells, const std::vector<Shown>& shown,
                std::ostream& out) const;

  const std::vector<Column> columns_;
  std::vector<size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
};

// A column of text that may be broken into lines.
inline Table::Column WrappedColumn(std::string header) {
  return {.header = std::move(header), .wraps = true};
}

// A column that is left out where the terminal is too narrow.
inline Table::Column OptionalColumn(std::string header) {
  return {.header = std::move(header), .optional = true};
}

}  // namespace facegate::cli
