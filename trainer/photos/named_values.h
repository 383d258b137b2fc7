#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// A name and what a file says of it.
struct NamedValue {
  size_t line = 0;
  std::string name;
  std::string value;

  // The value as a finite number.
  std::optional<double> number() const;
};

// Rows of two columns with tabs, commas, semicolons or blanks between (names hold blanks where
// another sign separates); more columns are ignored. A header is a row like others.
// kInvalidArgument names the line that has one column, and the file without rows.
StatusOr<std::vector<NamedValue>> ReadNamedValues(const std::string& path);

}  // namespace facegate
