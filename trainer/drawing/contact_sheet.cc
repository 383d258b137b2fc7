#include "trainer/drawing/contact_sheet.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "trainer/drawing/text.h"

namespace facegate {
namespace {

constexpr uint8_t kGround = 251;
constexpr uint8_t kFrame = 219;
constexpr double kTitleHeight = 15.0;  // of its capital letters, pixels
constexpr int kTitleSpace = 42;        // pixels that the title takes, its distance included
constexpr int kCaptionSpace = 18;      // pixels below a picture
constexpr int kBadge = 18;             // side of a mark's badge, pixels
constexpr int kMarkFrame = 3;          // thickness of a mark's frame, pixels
constexpr int kLine = 16;              // from baseline to baseline of row titles, pixels
constexpr size_t kMaxColumns = 4096;

TextStyle TitleStyle() {
  return {.height = kTitleHeight, .colour = {46.0, 36.0, 30.0}, .bold = true};
}
TextStyle RowTitleStyle() { return {.height = 9.0, .colour = {70.0, 60.0, 52.0}, .bold = true}; }
TextStyle CaptionStyle() { return {.height = 8.0, .colour = {110.0, 100.0, 92.0}, .bold = false}; }

// Scaled to fit into `size` without changing its proportions.
cv::Mat FitPicture(const cv::Mat& picture, cv::Size size) {
  cv::Mat colour = picture;
  if (picture.channels() == 1) cv::cvtColor(picture, colour, cv::COLOR_GRAY2BGR);
  const double scale = std::min(static_cast<double>(size.width) / colour.cols,
                                static_cast<double>(size.height) / colour.rows);
  const cv::Size fitted(
      std::clamp(static_cast<int>(std::lround(colour.cols * scale)), 1, size.width),
      std::clamp(static_cast<int>(std::lround(colour.rows * scale)), 1, size.height));
  if (fitted == colour.size()) return colour;
  cv::Mat result;
  cv::resize(colour, result, fitted, 0.0, 0.0, scale < 1.0 ? cv::INTER_AREA : cv::INTER_CUBIC);
  return result;
}

// BGR.
cv::Scalar ColourOf(SheetMark mark) {
  switch (mark) {
    case SheetMark::kUnknown:
      return {128.0, 128.0, 128.0};
    case SheetMark::kRight:
      return {63.0, 112.0, 20.0};
    case SheetMark::kWrong:
      return {30.0, 38.0, 179.0};
    case SheetMark::kNone:
      break;
  }
  return cv::Scalar::all(kFrame);
}

// A frame around the picture, and a sign on a badge in its upper right corner.
void DrawMark(cv::Mat& sheet, SheetMark mark, cv::Rect picture) {
  const cv::Scalar colour = ColourOf(mark);
  for (int i = 1; i <= kMarkFrame; ++i) {
    cv::rectangle(sheet, picture + cv::Point(-i, -i) + cv::Size(2 * i, 2 * i), colour);
  }
  const cv::Rect badge(picture.x + picture.width - kBadge, picture.y, kBadge, kBadge);
  cv::rectangle(sheet, badge, colour, cv::FILLED);
  const cv::Scalar white = cv::Scalar::all(255.0);
  const auto at = [&badge](int x, int y) { return cv::Point(badge.x + x, badge.y + y); };
  if (mark == SheetMark::kRight) {
    cv::line(sheet, at(4, 9), at(8, 13), white, 2, cv::LINE_AA);
    cv::line(sheet, at(8, 13), at(14, 5), white, 2, cv::LINE_AA);
  } else if (mark == SheetMark::kWrong) {
    cv::line(sheet, at(5, 5), at(13, 13), white, 2, cv::LINE_AA);
    cv::line(sheet, at(13, 5), at(5, 13), white, 2, cv::LINE_AA);
  } else {
    DrawTextLine(sheet, "?", at(5, 14), {.height = 10.0, .colour = white, .bold = true});
  }
}

void DrawCell(cv::Mat& sheet, const SheetPicture& cell, cv::Rect place) {
  if (!cell.picture.empty()) {
    const cv::Mat fitted = FitPicture(cell.picture, place.size());
    const cv::Rect target(place.x + (place.width - fitted.cols) / 2,
                          place.y + (place.height - fitted.rows) / 2, fitted.cols, fitted.rows);
    cv::rectangle(sheet, target + cv::Point(-1, -1) + cv::Size(2, 2), cv::Scalar::all(kFrame));
    fitted.copyTo(sheet(target));
    if (cell.mark != SheetMark::kNone) DrawMark(sheet, cell.mark, target);
  }
  const std::string caption = ShortenText(cell.caption, place.width, CaptionStyle());
  const int indent = (place.width - TextWidth(caption, CaptionStyle())) / 2;
  DrawTextLine(sheet, caption, {place.x + indent, place.y + place.height + kCaptionSpace - 5},
               CaptionStyle());
}

}  // namespace

cv::Mat DrawContactSheet(const std::string& title, std::span<const SheetRow> rows,
                         const SheetOptions& options) {
  size_t columns = 1;
  bool titles = false;
  bool captions = false;
  for (const SheetRow& row : rows) {
    columns = std::clamp(row.pictures.size(), columns, kMaxColumns);
    titles |= !row.title.empty();
    for (const SheetPicture& cell : row.pictures) captions |= !cell.caption.empty();
  }
  const int caption_space = captions ? kCaptionSpace : 0;
  const int step_x = options.cell.width + options.gap;
  const int heading = 2 * kLine;  // height of a row without pictures
  const int left = options.margin + (titles ? options.title_width + options.gap : 0);
  const int top = options.margin + (title.empty() ? 0 : kTitleSpace);

  int height = top - options.gap;
  for (const SheetRow& row : rows) {
    height += (row.pictures.empty() ? heading : options.cell.height + caption_space) + options.gap;
  }
  const int width = std::max(left + static_cast<int>(columns) * step_x - options.gap,
                             options.margin + std::min(TextWidth(title, TitleStyle()), 2000));
  cv::Mat sheet(std::max(height, top) + options.margin, width + options.margin, CV_8UC3,
                cv::Scalar::all(kGround));
  DrawTextLine(sheet, ShortenText(title, width - options.margin, TitleStyle()),
               {options.margin, options.margin + static_cast<int>(kTitleHeight) + 1}, TitleStyle());

  int y = top;
  for (const SheetRow& row : rows) {
    const bool alone = row.pictures.empty();
    const int row_height = alone ? heading : options.cell.height;
    const int text_width = alone ? width - options.margin : options.title_width;
    const std::vector<std::string> lines =
        BreakText(row.title, text_width, static_cast<size_t>(std::max(1, row_height / kLine)),
                  RowTitleStyle());
    int baseline = y + (row_height - static_cast<int>(lines.size()) * kLine) / 2 + kLine - 4;
    for (const std::string& line : lines) {
      DrawTextLine(sheet, line, {options.margin, baseline}, RowTitleStyle());
      baseline += kLine;
    }
    int x = left;
    for (const SheetPicture& cell : row.pictures) {
      if (x + options.cell.width > sheet.cols) break;
      DrawCell(sheet, cell, {{x, y}, options.cell});
      x += step_x;
    }
    y += row_height + (alone ? 0 : caption_space) + options.gap;
  }
  return sheet;
}

}  // namespace facegate
