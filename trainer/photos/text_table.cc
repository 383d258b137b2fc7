#include "trainer/photos/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace facegate {
namespace {

constexpr std::string_view kLineEnds = "\r\n";
constexpr std::string_view kBlankSigns = " \t";

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlankSigns);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlankSigns) - begin + 1);
}

// A field that is quoted as a whole, without its quotes.
std::string Unquoted(std::string_view field) {
  const bool quoted = field.size() >= 2 && field.front() == '"' && field.back() == '"';
  return std::string(quoted ? field.substr(1, field.size() - 2) : field);
}

char SignOf(Separator separator) {
  switch (separator) {
    case Separator::kComma:
      return ',';
    case Separator::kSemicolon:
      return ';';
    case Separator::kTab:
      return '\t';
    case Separator::kBlanks:
    case Separator::kFirstBlank:
    case Separator::kLastBlank:
    case Separator::kNone:
      break;
  }
  return ' ';
}

std::vector<std::string> SplitByBlanks(std::string_view line, Separator separator) {
  line = Trimmed(line);
  const auto halves = [&](size_t at) {
    if (at == std::string_view::npos) return std::vector<std::string>{Unquoted(line)};
    return std::vector<std::string>{Unquoted(Trimmed(line.substr(0, at))),
                                    Unquoted(Trimmed(line.substr(at + 1)))};
  };
  if (separator == Separator::kNone) return {Unquoted(line)};
  if (separator == Separator::kFirstBlank) return halves(line.find_first_of(kBlankSigns));
  if (separator == Separator::kLastBlank) return halves(line.find_last_of(kBlankSigns));
  std::vector<std::string> fields;
  while (!line.empty()) {
    const bool quoted = line.front() == '"' && line.find('"', 1) != std::string_view::npos;
    size_t end = quoted ? line.find('"', 1) + 1 : line.find_first_of(kBlankSigns);
    end = std::min(end, line.size());
    fields.push_back(Unquoted(line.substr(0, end)));
    line = Trimmed(line.substr(end));
  }
  return fields;
}

// Reads one row after the other.
class TableReader {
 public:
  TableReader(std::string_view text, Separator separator)
      : text_(text), separator_(separator), sign_(SignOf(separator)) {}

  bool AtEnd() const { return at_ >= text_.size(); }

  StatusOr<TextRow> Next() {
    TextRow row{.line = line_, .fields = {}};
    if (!IsCsv(separator_)) {
      const size_t end = std::min(text_.find_first_of(kLineEnds, at_), text_.size());
      row.fields = SplitByBlanks(text_.substr(at_, end - at_), separator_);
      at_ = end;
      SkipLineEnd();
      return row;
    }
    while (true) {
      FACEGATE_ASSIGN_OR_RETURN(std::string field, NextField());
      row.fields.push_back(std::move(field));
      if (AtEnd() || text_[at_] != sign_) break;
      ++at_;
    }
    SkipLineEnd();
    return row;
  }

 private:
  StatusOr<std::string> NextField() {
    size_t begin = at_;
    while (begin < text_.size() && text_[begin] == ' ') ++begin;
    if (begin < text_.size() && text_[begin] == '"') {
      at_ = begin + 1;
      return QuotedField();
    }
    size_t end = at_;
    while (end < text_.size() && text_[end] != sign_ && !IsLineEnd(text_[end])) ++end;
    const std::string_view field = Trimmed(text_.substr(at_, end - at_));
    at_ = end;
    return std::string(field);
  }

  // Reads from behind the opening quote to behind the closing one.
  StatusOr<std::string> QuotedField() {
    const size_t first_line = line_;
    std::string field;
    while (true) {
      const size_t quote = text_.find('"', at_);
      if (quote == std::string_view::npos) {
        return InvalidArgument(
            fmt::format("line {}: a quoted field has no closing quote", first_line));
      }
      const std::string_view part = text_.substr(at_, quote - at_);
      line_ += static_cast<size_t>(std::count(part.begin(), part.end(), '\n'));
      field += part;
      at_ = quote + 1;
      if (AtEnd() || text_[at_] != '"') break;
      field += '"';
      ++at_;
    }
    while (!AtEnd() && text_[at_] == ' ') ++at_;
    if (!AtEnd() && text_[at_] != sign_ && !IsLineEnd(text_[at_])) {
      return InvalidArgument(fmt::format("line {}: text follows a closing quote", line_));
    }
    return field;
  }

  static bool IsLineEnd(char sign) { return kLineEnds.find(sign) != std::string_view::npos; }

  void SkipLineEnd() {
    if (AtEnd()) return;
    at_ += text_.substr(at_).starts_with("\r\n") ? 2 : 1;
    ++line_;
  }

  const std::string_view text_;
  const Separator separator_;
  const char sign_;
  size_t at_ = 0;
  size_t line_ = 1;
};

bool IsEmptyRow(const TextRow& row) {
  return std::all_of(row.fields.begin(), row.fields.end(),
                     [](const std::string& field) { return field.empty(); });
}

}  // namespace

bool IsCsv(Separator separator) {
  return separator == Separator::kComma || separator == Separator::kSemicolon ||
         separator == Separator::kTab;
}

Status ForEachRow(std::string_view text, Separator separator,
                  const std::function<Status(const TextRow&)>& take) {
  TableReader reader(text, separator);
  while (!reader.AtEnd()) {
    FACEGATE_ASSIGN_OR_RETURN(const TextRow row, reader.Next());
    if (!IsEmptyRow(row)) FACEGATE_RETURN_IF_ERROR(take(row));
  }
  return OkStatus();
}

StatusOr<std::vector<TextRow>> FirstRows(std::string_view text, Separator separator, size_t most) {
  std::vector<TextRow> rows;
  TableReader reader(text, separator);
  while (!reader.AtEnd() && rows.size() < most) {
    FACEGATE_ASSIGN_OR_RETURN(TextRow row, reader.Next());
    if (!IsEmptyRow(row)) rows.push_back(std::move(row));
  }
  return rows;
}

std::string PlainName(std::string_view name) {
  std::string plain;
  for (const char sign : name) {
    if (sign == '_' || sign == '-' || sign == ' ') continue;
    plain += sign >= 'A' && sign <= 'Z' ? static_cast<char>(sign - 'A' + 'a') : sign;
  }
  return plain;
}

}  // namespace facegate
