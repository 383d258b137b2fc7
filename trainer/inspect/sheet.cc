#include "trainer/inspect/sheet.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "trainer/drawing/contact_sheet.h"

namespace facegate {
namespace {

constexpr size_t kIdentities = 8;
constexpr size_t kColumns = 8;
constexpr size_t kGroups = 24;  // of a kind

// `count` of `all` numbers, or fewer, evenly spread from the first to the last.
std::vector<size_t> Spread(size_t all, size_t count) {
  std::vector<size_t> numbers;
  const size_t taken = std::min(all, count);
  numbers.reserve(taken);
  for (size_t i = 0; i < taken; ++i) {
    numbers.push_back(taken == 1 ? 0 : i * (all - 1) / (taken - 1));
  }
  return numbers;
}

class SetSheet {
 public:
  SetSheet(const SetReport& report, const PhotoSource& source) : report_(report), source_(source) {}

  std::vector<SheetRow> Rows() {
    Samples();
    Groups("Same file, several identities: all labels but one are wrong", true, true);
    Groups("Nearly the same, several identities: look which label is right", false, true);
    Groups("Nearly the same, one identity", false, false);
    return std::move(rows_);
  }

 private:
  const std::string& IdentityOf(size_t photo) const {
    return source_.classes()[source_.label(photo)];
  }

  void AddPicture(size_t photo, std::string caption, SheetMark mark, SheetRow& row) const {
    const StatusOr<std::string> bytes = source_.Read(photo);
    if (!bytes.ok()) return;
    StatusOr<cv::Mat> picture = DecodeTrainingPhoto(*bytes);
    if (!picture.ok()) return;
    row.pictures.push_back(
        {.picture = *std::move(picture), .caption = std::move(caption), .mark = mark});
  }

  void Samples() {
    std::vector<std::vector<size_t>> photos(source_.classes().size());
    for (size_t i = 0; i < source_.size(); ++i) photos[source_.label(i)].push_back(i);
    for (const size_t label : Spread(photos.size(), kIdentities)) {
      SheetRow row{.title = source_.classes()[label], .pictures = {}};
      for (const size_t at : Spread(photos[label].size(), kColumns)) {
        const std::filesystem::path name = source_.short_name(photos[label][at]);
        AddPicture(photos[label][at], name.stem().string(), SheetMark::kNone, row);
      }
      if (!row.pictures.empty()) rows_.push_back(std::move(row));
    }
  }

  // Groups flow into rows, with a free place between two of them.
  void Groups(const std::string& heading, bool identical, bool across) {
    size_t shown = 0;
    const SheetMark across_mark = identical ? SheetMark::kWrong : SheetMark::kUnknown;
    SheetRow row;
    for (const DuplicateGroup& group : report_.duplicates) {
      if (group.identical != identical || group.across_identities != across) continue;
      if (shown == 0) rows_.push_back({.title = heading, .pictures = {}});
      if (shown++ == kGroups) break;
      const size_t size = std::min(group.photos.size(), kColumns);
      if (!row.pictures.empty() && row.pictures.size() + 1 + size > kColumns) {
        rows_.push_back(std::exchange(row, {}));
      }
      if (!row.pictures.empty()) row.pictures.emplace_back();
      for (size_t i = 0; i < size; ++i) {
        const size_t photo = group.photos[i];
        const std::filesystem::path name = source_.short_name(photo);
        AddPicture(photo,
                   across ? IdentityOf(photo) : name.stem().string() + " " + IdentityOf(photo),
                   across ? across_mark : SheetMark::kRight, row);
      }
    }
    if (!row.pictures.empty()) rows_.push_back(std::move(row));
  }

  const SetReport& report_;
  const PhotoSource& source_;
  std::vector<SheetRow> rows_;
};

}  // namespace

cv::Mat DrawSetSheet(const std::string& title, const SetReport& report, const PhotoSource& source) {
  return DrawContactSheet(title, SetSheet(report, source).Rows());
}

}  // namespace facegate
