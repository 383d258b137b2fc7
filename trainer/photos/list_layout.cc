#include "trainer/photos/list_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "trainer/photos/photo_files.h"
#include "trainer/photos/shown_name.h"

namespace facegate {
namespace {

constexpr size_t kSampleRows = 100;
// The order decides where rows tell no difference.
constexpr Separator kSeparators[] = {Separator::kSemicolon,  Separator::kTab,
                                     Separator::kComma,      Separator::kLastBlank,
                                     Separator::kFirstBlank, Separator::kBlanks};

// Columns of labels are called by these names, the surest first. Names like these also begin longer
// words ("labels", "celebrity", "classname").
constexpr std::array<std::string_view, 11> kLabelNames = {"label",   "identity", "class", "person",
                                                          "subject", "people",   "celeb", "actor",
                                                          "target",  "dirname",  "folder"};
// Names that count as whole words alone: "video" and "width" have "id" within.
constexpr std::array<std::string_view, 3> kShortLabelNames = {"who", "name", "id"};
// These stand behind them: "person_id".
constexpr std::array<std::string_view, 4> kLabelEndings = {"id", "name", "number", "index"};
// Columns that say something about an identity or a photo, such as "label_confidence".
constexpr std::array<std::string_view, 9> kMeasures = {
    "score", "confidence", "conf", "quality", "probability", "prob", "count", "age", "gender"};
constexpr std::array<std::string_view, 8> kPhotoNames = {"path",  "file", "image", "img",
                                                         "photo", "pic",  "jpg",   "crop"};
constexpr std::array<std::string_view, 4> kPhotoEndings = {"path", "image", "img", "photo"};
constexpr size_t kExactNames = kLabelNames.size();
constexpr size_t kNoLabel = 3 * kLabelNames.size() + 2 * kShortLabelNames.size();

template <size_t N>
bool IsAmong(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The words of a name, in small letters: "person_ID", "person-id" and "personId" have two.
std::vector<std::string> WordsOf(std::string_view name) {
  std::vector<std::string> words(1);
  bool was_small = false;
  for (const char sign : name) {
    const bool large = sign >= 'A' && sign <= 'Z';
    const bool between = sign == '_' || sign == '-' || sign == ' ' || sign == '.';
    if ((between || (large && was_small)) && !words.back().empty()) words.emplace_back();
    if (!between) words.back() += large ? static_cast<char>(sign - 'A' + 'a') : sign;
    was_small = sign >= 'a' && sign <= 'z';
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

// "person", "person_id", "personName".
bool IsExactly(std::string_view plain, std::string_view label) {
  if (!plain.starts_with(label)) return false;
  const std::string_view rest = plain.substr(label.size());
  return rest.empty() || IsAmong(kLabelEndings, rest);
}

// Tells how sure it is that a column's name is one of labels: the lower the surer, kNoLabel where
// it is none. Whole names come before words, and words before beginnings of words.
size_t LabelRank(std::string_view column) {
  const std::vector<std::string> words = WordsOf(column);
  const auto has_word = [&](const auto& is_such) {
    return std::any_of(words.begin(), words.end(), is_such);
  };
  if (NamesPhotos(column)) return kNoLabel;
  if (has_word([](const std::string& word) { return IsAmong(kMeasures, word); })) return kNoLabel;
  const std::string plain = PlainName(column);
  for (size_t i = 0; i < kLabelNames.size(); ++i) {
    if (IsExactly(plain, kLabelNames[i])) return i;
  }
  for (size_t i = 0; i < kLabelNames.size(); ++i) {
    const std::string_view label = kLabelNames[i];
    if (has_word([&](const std::string& word) { return word == label; })) return kExactNames + i;
    if (has_word([&](const std::string& word) { return word.starts_with(label); })) {
      return 2 * kExactNames + i;
    }
  }
  for (size_t i = 0; i < kShortLabelNames.size(); ++i) {
    const std::string_view label = kShortLabelNames[i];
    if (plain == label) return 3 * kExactNames + i;
    if (has_word([&](const std::string& word) { return word == label; })) {
      return 3 * kExactNames + kShortLabelNames.size() + i;
    }
  }
  return kNoLabel;
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789+-.eE") == std::string_view::npos &&
         text.find_first_of("0123456789") != std::string_view::npos;
}

bool IsWholeNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// True when rows of a photo and further words, cut at each blank, have columns behind the label,
// rather than labels of several words: "a.jpg 0 0.91" has, "a.jpg Ann Lee" has not.
bool HasFurtherColumns(std::span<const TextRow> rows) {
  if (rows.empty() || rows.front().fields.size() < 3) return false;
  bool labels_are_numbers = true;
  bool rest_are_numbers = true;
  bool rest_are_whole = true;
  std::set<std::string> labels;
  std::set<std::string> texts;
  for (const TextRow& row : rows) {
    if (row.fields.size() != rows.front().fields.size()) return false;
    std::string text;
    for (size_t column = 1; column < row.fields.size(); ++column) {
      const std::string& field = row.fields[column];
      text += field + " ";
      if (column == 1) {
        labels_are_numbers = labels_are_numbers && IsWholeNumber(field);
        continue;
      }
      rest_are_numbers = rest_are_numbers && IsNumber(field);
      rest_are_whole = rest_are_whole && IsWholeNumber(field);
    }
    labels.insert(row.fields[1]);
    texts.insert(std::move(text));
  }
  if (labels_are_numbers) return true;
  // "person 1" may be a name, "person 0.91" is none.
  const bool tells_people_apart =
      texts.size() == rows.size() && labels.size() > 1 && labels.size() < rows.size();
  return rest_are_numbers && (!rest_are_whole || tells_people_apart);
}

struct Score {
  bool surely = false;  // the header's name says that these are photos, and some are
  size_t found = 0;     // rows whose photo is there
  size_t pictures = 0;  // rows whose photo ends like a picture
  size_t named = 0;     // the header's name of the column says so
  size_t alike = 0;     // rows with as many fields as the most have

  bool IsAbove(const Score& other) const {
    return std::tie(surely, found, pictures, named, alike) >
           std::tie(other.surely, other.found, other.pictures, other.named, other.alike);
  }
};

struct Candidate {
  Score score;
  ListLayout layout;
};

size_t UsualFields(const std::vector<TextRow>& rows) {
  std::vector<size_t> counts;
  counts.reserve(rows.size());
  for (const TextRow& row : rows) counts.push_back(row.fields.size());
  std::sort(counts.begin(), counts.end());
  return counts.empty() ? 0 : counts[counts.size() / 2];
}

std::string FieldAt(const TextRow& row, size_t column) {
  return column < row.fields.size() ? row.fields[column] : std::string();
}

// Judges the columns of a list under one separator.
class ColumnJudge {
 public:
  ColumnJudge(const std::vector<TextRow>& rows, PhotoFinder& finder, Separator separator,
              LabelRule rule)
      : rows_(rows),
        finder_(finder),
        separator_(separator),
        alone_(rule == LabelRule::kOptional),
        width_(UsualFields(rows)) {}

  std::optional<Candidate> Best() const {
    std::optional<Candidate> best;
    if (width_ < (alone_ ? 1U : 2U)) return best;
    for (size_t column = 0; column < width_; ++column) {
      Candidate candidate{.score = ScoreOf(column), .layout = {}};
      if (!best.has_value() || candidate.score.IsAbove(best->score)) {
        candidate.layout.path_column = column;
        best = std::move(candidate);
      }
    }
    Complete(*best);
    return best;
  }

 private:
  bool IsPhoto(const TextRow& row, size_t column) const {
    const std::string field = FieldAt(row, column);
    return HasPictureEnding(field) || finder_.FindExactly(field).has_value();
  }

  // The same of the first row, where a photo may also be there under another ending. "image" names
  // a column, even where there is an image.jpg.
  bool BeginsWithPhoto(size_t column) const {
    const std::string field = FieldAt(rows_.front(), column);
    if (IsPhoto(rows_.front(), column)) return true;
    return !IsAmong(kPhotoNames, PlainName(field)) && finder_.Find(field).has_value();
  }

  Score ScoreOf(size_t column) const {
    Score score;
    for (const TextRow& row : rows_) {
      score.alike += row.fields.size() == width_ ? 1 : 0;
      if (row.fields.size() < 2 && !alone_) continue;
      const std::string field = FieldAt(row, column);
      score.found += finder_.FindExactly(field).has_value() ? 1 : 0;
      score.pictures += HasPictureEnding(field) ? 1 : 0;
    }
    score.named = NamesPhotos(FieldAt(rows_.front(), column)) ? 1 : 0;
    score.surely =
        score.named > 0 && score.found + score.pictures > 0 && !IsPhoto(rows_.front(), column);
    return score;
  }

  // The header and the column of labels, once the column of photos is chosen.
  void Complete(Candidate& candidate) const {
    ListLayout& layout = candidate.layout;
    layout.separator = separator_;
    const bool blind = candidate.score.found + candidate.score.pictures == 0;
    const bool names = HasUsualNames();
    if (blind && !names) layout.path_column = separator_ == Separator::kSemicolon ? 1 : 0;
    layout.path_column = std::min(layout.path_column, width_ - 1);
    layout.has_header = names || (!blind && rows_.size() > 1 && IsHeader(layout.path_column));
    layout.label_column = LabelColumn(layout);
    if (!layout.has_header) return;
    layout.remark = fmt::format("the first line names the columns; photos are in {}",
                                ShownInQuotes(FieldAt(rows_.front(), layout.path_column)));
    if (layout.label_column.has_value()) {
      layout.remark += fmt::format(", identities in {}",
                                   ShownInQuotes(FieldAt(rows_.front(), *layout.label_column)));
    }
  }

  // Both kinds of names are in the first row, and neither a photo, a path nor a number.
  bool HasUsualNames() const {
    bool photos = false;
    bool labels = false;
    for (size_t column = 0; column < rows_.front().fields.size(); ++column) {
      const std::string& name = rows_.front().fields[column];
      if (name.find_first_of("0123456789/\\") != std::string::npos) return false;
      if (IsPhoto(rows_.front(), column)) return false;
      if (NamesPhotos(name)) {
        if (BeginsWithPhoto(column)) return false;
        photos = true;
      } else if (NamesLabels(name)) {
        labels = true;
      }
    }
    return photos && (labels || alone_);
  }

  // The first row has no photo, but most others have one.
  bool IsHeader(size_t column) const {
    if (BeginsWithPhoto(column)) return false;
    size_t photos = 0;
    for (size_t i = 1; i < rows_.size(); ++i) photos += IsPhoto(rows_[i], column) ? 1 : 0;
    return 2 * photos > rows_.size() - 1;
  }

  std::optional<size_t> LabelColumn(const ListLayout& layout) const {
    if (width_ < 2) return std::nullopt;
    const size_t next =
        layout.path_column + 1 < width_ ? layout.path_column + 1 : layout.path_column - 1;
    if (!layout.has_header) return next;
    std::optional<size_t> best;
    size_t rank = kNoLabel;
    for (size_t column = 0; column < width_; ++column) {
      const size_t own = LabelRank(FieldAt(rows_.front(), column));
      if (column != layout.path_column && own < rank) {
        best = column;
        rank = own;
      }
    }
    return best.has_value() ? best : NextThatIsNoPhoto(layout.path_column, next);
  }

  // Behind the photos or before them, where the header tells nothing of labels; `next` where all
  // columns are of photos.
  size_t NextThatIsNoPhoto(size_t path_column, size_t next) const {
    for (size_t step = 1; step < width_; ++step) {
      const size_t column = (path_column + step) % width_;
      if (!NamesPhotos(FieldAt(rows_.front(), column))) return column;
    }
    return next;
  }

  const std::vector<TextRow>& rows_;
  PhotoFinder& finder_;
  const Separator separator_;
  const bool alone_;    // lines of a photo alone are taken
  const size_t width_;  // fields of most rows
};

}  // namespace

bool NamesLabels(std::string_view column) { return LabelRank(column) < kNoLabel; }

bool NamesPhotos(std::string_view column) {
  const std::vector<std::string> words = WordsOf(column);
  // "image_label" has labels.
  if (words.empty() || IsAmong(kLabelNames, words.back())) return false;
  return std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return std::any_of(kPhotoNames.begin(), kPhotoNames.end(),
                       [&](std::string_view part) { return word.starts_with(part); }) ||
           std::any_of(kPhotoEndings.begin(), kPhotoEndings.end(),
                       [&](std::string_view part) { return word.ends_with(part); });
  });
}

std::string ListLayout::Expected() const {
  if (has_header) return "the columns that the first line names";
  if (!label_column.has_value()) return "a photo";
  std::string_view between = " ";
  if (separator == Separator::kComma) between = ",";
  if (separator == Separator::kSemicolon) between = ";";
  if (separator == Separator::kTab) between = "<tab>";
  std::string expected;
  for (size_t column = 0; column <= std::max(path_column, *label_column); ++column) {
    if (column > 0) expected += between;
    expected += column == path_column ? "PATH" : column == *label_column ? "LABEL" : "...";
  }
  return expected;
}

namespace {

// Returns the layout of columns, where "PATH LABEL" would make labels of several words but the
// words are columns.
std::optional<ListLayout> LayoutOfColumns(std::string_view text, PhotoFinder& finder,
                                          LabelRule rule, const Candidate& best) {
  if (best.layout.separator != Separator::kFirstBlank || best.layout.path_column != 0) {
    return std::nullopt;
  }
  const auto rows = FirstRows(text, Separator::kBlanks, kSampleRows);
  if (!rows.ok()) return std::nullopt;
  std::optional<Candidate> columns = ColumnJudge(*rows, finder, Separator::kBlanks, rule).Best();
  if (!columns.has_value() || best.score.IsAbove(columns->score)) return std::nullopt;
  ListLayout& layout = columns->layout;
  if (layout.path_column != 0) return std::nullopt;
  if (!HasFurtherColumns(std::span(*rows).subspan(layout.has_header ? 1 : 0))) return std::nullopt;
  if (!layout.has_header) {
    layout.remark = fmt::format(
        "each line has {} fields: the first is taken for the photo, the second for the identity, "
        "and the rest is not used",
        rows->front().fields.size());
  }
  return std::move(layout);
}

}  // namespace

StatusOr<ListLayout> LayoutOfList(std::string_view text, PhotoFinder& finder, LabelRule rule) {
  std::optional<Candidate> best;
  Status fault = InvalidArgument(
      "no line has a photo and an identity; expected PATH LABEL, "
      "LABEL;PATH or CSV");
  std::vector<Separator> separators(std::begin(kSeparators), std::end(kSeparators));
  if (rule == LabelRule::kOptional) separators.insert(separators.begin(), Separator::kNone);
  for (const Separator separator : separators) {
    const auto rows = FirstRows(text, separator, kSampleRows);
    if (!rows.ok()) {
      fault = rows.status();
      continue;
    }
    if (rows->empty()) return InvalidArgument("it is empty");
    const std::optional<Candidate> candidate = ColumnJudge(*rows, finder, separator, rule).Best();
    if (candidate.has_value() && (!best.has_value() || candidate->score.IsAbove(best->score))) {
      best = candidate;
    }
  }
  if (!best.has_value()) return fault;
  if (auto columns = LayoutOfColumns(text, finder, rule, *best)) return *std::move(columns);
  return std::move(best->layout);
}

}  // namespace facegate
