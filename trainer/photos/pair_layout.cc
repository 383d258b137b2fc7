#include "trainer/photos/pair_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <span>
#include <vector>

#include "trainer/photos/photo_files.h"
#include "trainer/photos/shown_name.h"

namespace facegate {
namespace {

constexpr size_t kSampleRows = 200;
constexpr std::array kSeparators = {Separator::kTab, Separator::kComma, Separator::kSemicolon,
                                    Separator::kBlanks};
constexpr std::array<std::string_view, 10> kSame = {"1",    "1.0", "true",  "t",       "yes",
                                                    "same", "y",   "match", "genuine", "positive"};
constexpr std::array<std::string_view, 14> kDifferent = {
    "0",    "0.0", "-1",       "-1.0",      "false",    "f",        "no",
    "diff", "n",   "mismatch", "different", "imposter", "impostor", "negative"};
// Whole names of the column that says whether it is one person, and parts of such names.
constexpr std::array<std::string_view, 11> kExactLabelNames = {
    "label", "same",    "issame", "match", "ismatch", "target",
    "y",     "genuine", "class",  "equal", "pair"};
constexpr std::array<std::string_view, 8> kLabelNames = {"same",    "label", "match", "target",
                                                         "genuine", "equal", "class", "pair"};
constexpr size_t kNoLabel = 2;

std::optional<size_t> NumberOf(std::string_view text) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<bool> LabelOf(const std::string& field) {
  std::string lower = field;
  for (char& sign : lower) {
    if (sign >= 'A' && sign <= 'Z') sign = static_cast<char>(sign - 'A' + 'a');
  }
  if (std::find(kSame.begin(), kSame.end(), lower) != kSame.end()) return true;
  if (std::find(kDifferent.begin(), kDifferent.end(), lower) != kDifferent.end()) return false;
  return std::nullopt;
}

// The fields without empty ones at the end, which spreadsheets write.
std::span<const std::string> WholeFields(const TextRow& row) {
  size_t count = row.fields.size();
  while (count > 0 && row.fields[count - 1].empty()) --count;
  return std::span(row.fields).first(count);
}

std::optional<std::string> LfwPhoto(const std::string& name, std::string_view number) {
  const std::optional<size_t> index = NumberOf(number);
  if (!index.has_value() || name.empty()) return std::nullopt;
  return fmt::format("{}/{}_{:04}.jpg", name, name, *index);
}

std::optional<FacePair> LfwPair(const TextRow& row) {
  const std::span<const std::string> fields = WholeFields(row);
  if (fields.size() != 3 && fields.size() != 4) return std::nullopt;
  const bool same = fields.size() == 3;
  std::optional<std::string> first = LfwPhoto(fields[0], fields[1]);
  std::optional<std::string> second = LfwPhoto(same ? fields[0] : fields[2], fields.back());
  if (!first.has_value() || !second.has_value()) return std::nullopt;
  return FacePair{.first = *std::move(first), .second = *std::move(second), .same = same};
}

// A row of numbers before LFW's pairs.
std::optional<std::pair<size_t, size_t>> Announcement(const TextRow& row) {
  const std::span<const std::string> fields = WholeFields(row);
  if (fields.empty() || fields.size() > 2) return std::nullopt;
  const std::optional<size_t> pairs = NumberOf(fields.back());
  const std::optional<size_t> folds = fields.size() == 2 ? NumberOf(fields.front()) : 0;
  if (!folds.has_value() || !pairs.has_value() || *pairs == 0) return std::nullopt;
  if (fields.size() == 2 && *folds == 0) return std::nullopt;
  return std::pair(*folds, *pairs);
}

// A row of words alone: neither numbers nor paths.
bool IsHeader(const TextRow& row) {
  return std::all_of(row.fields.begin(), row.fields.end(), [](const std::string& field) {
    return !NumberOf(field).has_value() && field.find_first_of("./\\") == std::string::npos;
  });
}

// Tells how surely a column of this name has the labels: 0 by its whole name, 1 by a part of it,
// else kNoLabel. "same_gender" is a part.
size_t LabelRank(std::string_view column) {
  const std::string plain = PlainName(column);
  if (std::find(kExactLabelNames.begin(), kExactLabelNames.end(), plain) !=
      kExactLabelNames.end()) {
    return 0;
  }
  const bool has_part =
      std::any_of(kLabelNames.begin(), kLabelNames.end(),
                  [&](std::string_view part) { return plain.find(part) != std::string::npos; });
  return has_part ? 1 : kNoLabel;
}

// True when all rows have such a field in the column.
bool AllOf(const std::vector<TextRow>& rows, size_t column,
           const std::function<bool(const std::string&)>& is_such) {
  return std::all_of(rows.begin(), rows.end(), [&](const TextRow& row) {
    return column < row.fields.size() && is_such(row.fields[column]);
  });
}

// The two columns of photos beside the label's: under a header those that end like pictures, else
// those that do not count the rows. False where that does not leave two, or, without a header,
// leaves more.
bool ChoosePhotoColumns(const std::vector<TextRow>& rows, PairLayout& layout) {
  std::vector<size_t> pictures;
  std::vector<size_t> names;
  for (size_t column = 0; column < layout.columns; ++column) {
    if (column == layout.label_column) continue;
    if (AllOf(rows, column, [](const std::string& field) { return HasPictureEnding(field); })) {
      pictures.push_back(column);
    }
    const bool numbers =
        AllOf(rows, column, [](const std::string& field) { return NumberOf(field).has_value(); });
    if (!numbers || layout.columns == 3) names.push_back(column);
  }
  const std::vector<size_t>& photos = layout.has_header && pictures.size() == 2 ? pictures : names;
  if (photos.size() < 2 || (photos.size() > 2 && !layout.has_header)) return false;
  layout.first_column = photos[0];
  layout.second_column = photos[1];
  return true;
}

struct Candidate {
  PairLayout layout;
  size_t fitting = 0;
};

size_t CountFitting(const PairLayout& layout, const std::vector<TextRow>& rows) {
  return static_cast<size_t>(std::count_if(
      rows.begin(), rows.end(), [&](const TextRow& row) { return layout.Parse(row).has_value(); }));
}

// LFW's form; a third field of 0 is a label, as LFW counts photos from 1.
Candidate LfwCandidate(const std::vector<TextRow>& rows, PairLayout layout) {
  layout.form = PairForm::kLfw;
  Candidate candidate{.layout = layout, .fitting = CountFitting(layout, rows)};
  const bool has_zero = std::any_of(rows.begin(), rows.end(), [](const TextRow& row) {
    return row.fields.size() == 3 && row.fields.back() == "0";
  });
  if (has_zero && !layout.announced.has_value()) candidate.fitting = 0;
  return candidate;
}

Candidate LabelledCandidate(const std::vector<TextRow>& rows, const TextRow* header,
                            PairLayout layout) {
  layout.form = PairForm::kLabelled;
  layout.columns = rows.front().fields.size();
  Candidate best{.layout = layout, .fitting = 0};
  size_t best_rank = kNoLabel;
  for (size_t column = layout.columns; column-- > 0;) {
    PairLayout one = layout;
    one.label_column = column;
    // Beside more than three columns the header must say which one is the label.
    const bool named = header != nullptr && column < header->fields.size();
    const size_t rank = named ? LabelRank(header->fields[column]) : kNoLabel;
    if (one.columns < 3 || (one.columns > 3 && header != nullptr && rank == kNoLabel)) continue;
    if (!ChoosePhotoColumns(rows, one)) continue;
    const size_t fitting = CountFitting(one, rows);
    if (fitting == 0 || rank > best_rank) continue;
    if (rank < best_rank || fitting > best.fitting) best = {.layout = one, .fitting = fitting};
    best_rank = rank;
  }
  // The column was a choice among more than three.
  if (header != nullptr && best.fitting > 0 && best.layout.columns > 3) {
    // A header may be shorter than its rows.
    const auto called = [header](size_t column) {
      return column < header->fields.size() ? ShownInQuotes(header->fields[column])
                                            : fmt::format("number {}", column + 1);
    };
    best.layout.remark =
        fmt::format("whether a pair is of one person is in the column {}, the photos in {} and {}",
                    called(best.layout.label_column), called(best.layout.first_column),
                    called(best.layout.second_column));
  }
  return best;
}

Candidate BestOf(const std::vector<TextRow>& rows, const PairLayout& layout) {
  Candidate lfw = LfwCandidate(rows, layout);
  Candidate labelled = LabelledCandidate(rows, nullptr, layout);
  if (layout.announced.has_value() || lfw.fitting >= labelled.fitting) return lfw;
  return labelled;
}

// True when a row of words is a pair like the others: a header may end with "same", which only a
// list of such words has elsewhere.
bool IsOfTheSameKind(const PairLayout& layout, const TextRow& first,
                     const std::vector<TextRow>& rest) {
  if (!layout.Parse(first).has_value()) return false;
  const std::string& label = first.fields[layout.label_column];
  return std::any_of(rest.begin(), rest.end(), [&](const TextRow& row) {
    return layout.label_column < row.fields.size() && row.fields[layout.label_column] == label;
  });
}

// The best layout under one separator.
Candidate CandidateOf(std::vector<TextRow> rows, Separator separator) {
  PairLayout layout;
  layout.separator = separator;
  const TextRow first = rows.front();
  layout.announced = Announcement(first);
  if (layout.announced.has_value()) {
    rows.erase(rows.begin());
    layout.has_header = true;
    return rows.empty() ? Candidate{.layout = layout} : LfwCandidate(rows, layout);
  }
  if (rows.size() > 1 && IsHeader(first)) {
    std::vector<TextRow> rest(rows.begin() + 1, rows.end());
    PairLayout named = layout;
    named.has_header = true;
    Candidate lfw = LfwCandidate(rest, named);
    const Candidate labelled = LabelledCandidate(rest, &first, named);
    const Candidate& best = lfw.fitting >= labelled.fitting ? lfw : labelled;
    if (best.fitting > 0 && !IsOfTheSameKind(best.layout, first, rest)) return best;
  }
  return BestOf(rows, layout);
}

}  // namespace

std::optional<FacePair> PairLayout::Parse(const TextRow& row) const {
  if (form == PairForm::kLfw) return LfwPair(row);
  const size_t last = std::max({first_column, second_column, label_column});
  if (row.fields.size() <= last) return std::nullopt;
  // Nobody has said what further columns are without a header.
  if (!has_header && WholeFields(row).size() > columns) return std::nullopt;
  const std::optional<bool> same = LabelOf(row.fields[label_column]);
  const std::string& first = row.fields[first_column];
  const std::string& second = row.fields[second_column];
  if (!same.has_value() || first.empty() || second.empty()) return std::nullopt;
  return FacePair{.first = first, .second = second, .same = *same};
}

std::string_view PairLayout::Expected() const {
  return form == PairForm::kLfw ? "NAME I J, or NAME I NAME J"
                                : "PHOTO PHOTO 0 (or 1); names with blanks need tabs or commas";
}

PairLayout LayoutOfPairs(std::string_view text) {
  Candidate best;
  for (const Separator separator : kSeparators) {
    auto rows = FirstRows(text, separator, kSampleRows);
    if (!rows.ok() || rows->empty()) continue;
    Candidate candidate = CandidateOf(*std::move(rows), separator);
    const bool announces = candidate.layout.announced.has_value();
    const bool first_announces = !best.layout.announced.has_value() && announces;
    if (candidate.fitting > best.fitting || (best.fitting == 0 && first_announces)) {
      best = candidate;
    }
  }
  return best.layout;
}

}  // namespace facegate
