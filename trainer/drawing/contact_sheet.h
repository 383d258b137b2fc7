#pragma once

#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <span>
#include <string>
#include <vector>

namespace facegate {

// Says what is known of a picture: drawn as the colour of its frame and as a sign in its corner.
enum class SheetMark {
  kNone,
  kUnknown,  // grey, "?": of nobody in particular, or not known
  kRight,    // green, a tick
  kWrong     // red, a cross
};

struct SheetPicture {
  cv::Mat picture;      // 8-bit BGR or grey, of any size; empty leaves the place free
  std::string caption;  // one line below the picture; ASCII, shortened to fit; may be empty
  SheetMark mark = SheetMark::kNone;
};

struct SheetRow {
  std::string title;  // left of the pictures; ASCII, broken into lines and shortened to fit
  std::vector<SheetPicture> pictures;
};

struct SheetOptions {
  cv::Size cell{112, 112};  // each picture is scaled to fit and centred, pixels, 1..4096
  int margin = 24;          // around the sheet, pixels
  int gap = 8;              // between cells, pixels
  int title_width = 120;    // of the column of row titles where any row has one, pixels
};

// A page of pictures in rows on a light ground, with a title above, the rows' titles at the left
// and a caption below each picture. Rows without pictures stay as headings. 8-bit BGR. The page is
// as wide as its longest row needs.
cv::Mat DrawContactSheet(const std::string& title, std::span<const SheetRow> rows,
                         const SheetOptions& options = {});

}  // namespace facegate
