#include "trainer/data/list_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>
#include <vector>

#include "trainer/data/photo_files.h"

namespace facegate {
namespace {

constexpr size_t kSampleRows = 100;
// The order decides where rows tell no difference.
constexpr Separator kSeparators[] = {Separator::kSemicolon,  Separator::kTab,
                                     Separator::kComma,      Separator::kLastBlank,
                                     Separator::kFirstBlank, Separator::kBlanks};

// Parts of columns' names, the surest first.
constexpr std::array<std::string_view, 14> kLabelNames = {
    "label", "identity", "class", "person",  "subject", "people", "celeb",
    "actor", "target",   "who",   "dirname", "folder",  "name",   "id"};
constexpr std::array<std::string_view, 8> kPhotoNames = {"path",  "file", "image", "img",
                                                         "photo", "pic",  "jpg",   "crop"};

// How sure it is that a column's name is one of labels: the lower the surer.
size_t LabelRank(std::string_view column) {
  const std::string plain = PlainName(column);
  size_t rank = 0;
  while (rank < kLabelNames.size() && plain.find(kLabelNames[rank]) == std::string::npos) ++rank;
  return rank;
}

struct Score {
  size_t found = 0;     // rows whose photo is there
  size_t pictures = 0;  // rows whose photo ends like a picture
  size_t named = 0;     // the header's name of the column says so
  size_t alike = 0;     // rows with as many fields as the most have

  bool IsAbove(const Score& other) const {
    return std::tie(found, pictures, named, alike) >
           std::tie(other.found, other.pictures, other.named, other.alike);
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
  ColumnJudge(const std::vector<TextRow>& rows, const PhotoFinder& finder, Separator separator,
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
    layout.remark = fmt::format("the first line names the columns; photos are in \"{}\"",
                                FieldAt(rows_.front(), layout.path_column));
    if (layout.label_column.has_value()) {
      layout.remark +=
          fmt::format(", identities in \"{}\"", FieldAt(rows_.front(), *layout.label_column));
    }
  }

  // Both kinds of names are in the first row, and neither a photo nor a number.
  bool HasUsualNames() const {
    bool photos = false;
    bool labels = false;
    for (size_t column = 0; column < rows_.front().fields.size(); ++column) {
      const std::string& name = rows_.front().fields[column];
      const bool digits = name.find_first_of("0123456789") != std::string::npos;
      if (digits || IsPhoto(rows_.front(), column)) return false;
      // "image_id" is either.
      if (NamesPhotos(name)) {
        photos = true;
      } else if (NamesLabels(name)) {
        labels = true;
      }
    }
    return photos && (labels || alone_);
  }

  // The first row has no photo, but most others have one.
  bool IsHeader(size_t column) const {
    if (IsPhoto(rows_.front(), column)) return false;
    size_t photos = 0;
    for (size_t i = 1; i < rows_.size(); ++i) photos += IsPhoto(rows_[i], column) ? 1 : 0;
    return 2 * photos > rows_.size() - 1;
  }

  std::optional<size_t> LabelColumn(const ListLayout& layout) const {
    if (width_ < 2) return std::nullopt;
    const size_t next =
        layout.path_column + 1 < width_ ? layout.path_column + 1 : layout.path_column - 1;
    if (!layout.has_header) return next;
    size_t best = next;
    size_t rank = kLabelNames.size();
    for (size_t column = 0; column < width_; ++column) {
      const size_t own = LabelRank(FieldAt(rows_.front(), column));
      if (column != layout.path_column && own < rank) {
        best = column;
        rank = own;
      }
    }
    return best;
  }

  const std::vector<TextRow>& rows_;
  const PhotoFinder& finder_;
  const Separator separator_;
  const bool alone_;    // lines of a photo alone are taken
  const size_t width_;  // fields of most rows
};

}  // namespace

bool NamesLabels(std::string_view column) { return LabelRank(column) < kLabelNames.size(); }

bool NamesPhotos(std::string_view column) {
  const std::string plain = PlainName(column);
  return std::any_of(kPhotoNames.begin(), kPhotoNames.end(),
                     [&](std::string_view part) { return plain.find(part) != std::string::npos; });
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

StatusOr<ListLayout> LayoutOfList(std::string_view text, const PhotoFinder& finder,
                                  LabelRule rule) {
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
  return std::move(best->layout);
}

}  // namespace facegate
