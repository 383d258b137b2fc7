#include "trainer/align/dropped_sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <utility>
#include <vector>

#include "face/base/counted.h"
#include "trainer/drawing/contact_sheet.h"

namespace facegate {
namespace {

constexpr size_t kColumns = 8;
constexpr size_t kPictures = 4 * kColumns;  // of a kind
constexpr int kCell = 128;                  // pixels

std::string_view HeadingOf(CutStatus status) {
  return status == CutStatus::kNoFace ? "No face was found" : "The face gives no crop";
}

// Small, as whole photos in memory would be too much.
cv::Mat Thumbnail(const DroppedPhoto& photo) {
  const StatusOr<std::string> bytes = photo.source->Read(photo.photo);
  if (!bytes.ok()) return {};
  const StatusOr<cv::Mat> picture = DecodeTrainingPhoto(*bytes);
  if (!picture.ok()) return {};
  const double scale = std::min(1.0, double{kCell} / std::max(picture->cols, picture->rows));
  const cv::Size size(std::max(1, static_cast<int>(picture->cols * scale)),
                      std::max(1, static_cast<int>(picture->rows * scale)));
  cv::Mat small;
  cv::resize(*picture, small, size, 0, 0, cv::INTER_AREA);
  return small;
}

}  // namespace

cv::Mat DrawDroppedSheet(const std::string& title, std::span<const DroppedPhoto> photos) {
  std::vector<SheetRow> rows;
  bool drawn = false;
  for (const CutStatus status : {CutStatus::kNoFace, CutStatus::kNotAlignable}) {
    std::vector<const DroppedPhoto*> all;
    for (const DroppedPhoto& photo : photos) {
      if (photo.status == status) all.push_back(&photo);
    }
    if (all.empty()) continue;
    const size_t shown = std::min(all.size(), kPictures);
    rows.push_back({.title = fmt::format("{}: {}{}", HeadingOf(status), CountedPhotos(all.size()),
                                         shown < all.size() ? ", some of them" : ""),
                    .pictures = {}});
    for (size_t i = 0; i < shown; ++i) {
      const DroppedPhoto& photo = *all[i * all.size() / shown];
      cv::Mat picture = Thumbnail(photo);
      if (picture.empty()) continue;
      if (rows.back().pictures.size() % kColumns == 0) rows.emplace_back();
      rows.back().pictures.push_back(
          {.picture = std::move(picture), .caption = fmt::format("line {}", photo.line)});
      drawn = true;
    }
  }
  if (!drawn) return {};
  return DrawContactSheet(title, rows, {.cell = {kCell, kCell}, .title_width = 0});
}

}  // namespace facegate
