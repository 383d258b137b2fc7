#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// Stands between the fields of a line. Commas, semicolons and tabs are those of RFC 4180: a field
// may be quoted, and a quoted one holds separators, line breaks and doubled quotes.
enum class Separator {
  kComma,
  kSemicolon,
  kTab,
  kBlanks,      // one or more blanks or tabs
  kFirstBlank,  // two fields: the second holds blanks
  kLastBlank,   // two fields: the first holds blanks
  kNone,        // one field: the line
};

// True for the separators of RFC 4180.
bool IsCsv(Separator separator);

// A line of a table. Blanks around a field that is not quoted are dropped.
struct TextRow {
  size_t line = 0;  // where it begins, from 1 on
  std::vector<std::string> fields;
};

// Calls `take` for each row until it fails; lines of blanks and separators alone are left out.
// Lines end with "\n", "\r\n" or "\r". kInvalidArgument, naming the line, for a quoted field that
// does not end, or that is followed by anything but a separator.
Status ForEachRow(std::string_view text, Separator separator,
                  const std::function<Status(const TextRow&)>& take);

// The first rows, at most `most`, as ForEachRow() gives them.
StatusOr<std::vector<TextRow>> FirstRows(std::string_view text, Separator separator, size_t most);

// The field without the case of its letters and without blanks, dashes and underscores: how names
// of columns are compared.
std::string PlainName(std::string_view name);

}  // namespace facegate
