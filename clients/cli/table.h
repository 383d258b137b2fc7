#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace facegate {

// Rows of text under a header, in columns as wide as their widest cell.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string header;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns);
  // One cell for each column; missing ones are empty, more are dropped.
  void AddRow(std::vector<std::string> cells);
  void Print(std::ostream& out) const;

 private:
  void PrintRow(const std::vector<std::string>& cells, std::ostream& out) const;

  const std::vector<Column> columns_;
  std::vector<size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace facegate
