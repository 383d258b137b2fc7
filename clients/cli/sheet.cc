#include "clients/cli/sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "clients/cli/drawing.h"
#include "clients/cli/report.h"

namespace facegate {
namespace {

constexpr int kColumns = 6;
constexpr int kGap = 14;    // pixels
constexpr int kLine = 20;   // of text
constexpr int kTitle = 34;  // the line above the page
constexpr double kTextScale = 0.42;

// Ends in ".." where it would be wider than `width` pixels; letters that the font lacks are "?".
std::string Fit(std::string text, int width) {
  for (char& letter : text) {
    if (letter < ' ' || letter > '~') letter = '?';
  }
  const auto wide = [&](const std::string& line) {
    int base = 0;
    return cv::getTextSize(line, cv::FONT_HERSHEY_SIMPLEX, kTextScale, 1, &base).width > width;
  };
  if (!wide(text)) return text;
  while (!text.empty() && wide(text + "..")) text.pop_back();
  return text + "..";
}

void Write(cv::Mat& page, const std::string& text, const cv::Point& left,
           const cv::Scalar& colour) {
  cv::putText(page, text, left, cv::FONT_HERSHEY_SIMPLEX, kTextScale, colour, 1, cv::LINE_AA);
}

bool IsUnfit(const v1::IdentifyResponse::Result& result) {
  return result.decision() == v1::DECISION_INCONCLUSIVE;
}

std::string VerdictOf(const v1::IdentifyResponse::Result& result) {
  if (IsUnfit(result)) {
    const auto& shortcomings = result.face().quality().shortcomings();
    return shortcomings.empty() ? "cannot be compared" : shortcomings[0].advice();
  }
  if (result.candidates().empty()) return "nobody";
  const auto& best = result.candidates(0);
  const float score = best.has_normalised() ? best.normalised() : best.cosine();
  if (result.decision() != v1::DECISION_MATCH) return fmt::format("nobody ({:.2f})", score);
  return fmt::format("{} {:.2f}", best.identity_id(), score);
}

bool IsMatch(const v1::IdentifyResponse::Result& result) {
  return result.decision() == v1::DECISION_MATCH && !result.candidates().empty();
}

VerdictMark MarkOf(const v1::IdentifyResponse::Result& result,
                   const std::optional<PhotoTruth>& truth) {
  if (IsUnfit(result)) return VerdictMark::kUnfit;
  const bool match = IsMatch(result);
  if (!truth.has_value()) return match ? VerdictMark::kRight : VerdictMark::kNobody;
  if (!match) return truth->enrolled ? VerdictMark::kWrong : VerdictMark::kRightNobody;
  const bool right = result.candidates(0).identity_id() == truth->identity;
  return right ? VerdictMark::kRight : VerdictMark::kWrong;
}

// Chooses the mark of a photo with several faces: what is wrong counts first, then what is found,
// and last what cannot be told.
VerdictMark MarkOf(const v1::IdentifyResponse& answer, const std::optional<PhotoTruth>& truth) {
  std::optional<VerdictMark> mark;
  for (const auto& result : answer.results()) {
    const VerdictMark face = MarkOf(result, truth);
    if (!mark.has_value() || face == VerdictMark::kWrong ||
        (face == VerdictMark::kRight && *mark != VerdictMark::kWrong) ||
        *mark == VerdictMark::kUnfit) {
      mark = face;
    }
  }
  return mark.value_or(VerdictMark::kNobody);
}

}  // namespace

cv::Mat IdentificationSheet::Picture(const std::string& photo_bytes,
                                     const v1::IdentifyResponse& answer,
                                     const std::optional<PhotoTruth>& truth) {
  const std::vector<char> encoded(photo_bytes.begin(), photo_bytes.end());
  cv::Mat whole = cv::imdecode(encoded, cv::IMREAD_COLOR);
  if (whole.empty()) return whole;
  const double scale = static_cast<double>(kPictureSide) / std::max(whole.cols, whole.rows);
  const cv::Size size(std::max(1, static_cast<int>(whole.cols * scale)),
                      std::max(1, static_cast<int>(whole.rows * scale)));
  cv::Mat picture;
  cv::resize(whole, picture, size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  for (const auto& result : answer.results()) {
    if (!result.face().has_box()) continue;
    const cv::Rect box = BoxOf(result.face(), scale, kPictureSide);
    const VerdictMark mark = MarkOf(result, truth);
    // The light rim keeps a grey box apart from a grey picture.
    cv::rectangle(picture, box, cv::Scalar::all(245), 4, cv::LINE_AA);
    cv::rectangle(picture, box, ColourOf(mark), 2, cv::LINE_AA);
    DrawMark(mark, {std::max(box.x, 0), std::max(box.y, 0)}, picture);
  }
  return picture;
}

void IdentificationSheet::AddTile(Tile tile) {
  if (tiles_.size() < kMostPhotos) {
    tiles_.push_back(std::move(tile));
  } else {
    ++left_out_;
  }
}

void IdentificationSheet::Add(const std::string& photo, const std::string& photo_bytes,
                              const v1::IdentifyResponse& answer,
                              const std::optional<PhotoTruth>& truth) {
  Tile tile{.picture = {}, .name = photo, .verdict = {}};
  try {
    tile.picture = Picture(photo_bytes, answer, truth);
  } catch (const cv::Exception&) {
    tile.picture = cv::Mat();  // a format that this machine cannot read: its place stays empty
  }
  for (const auto& result : answer.results()) {
    tile.verdict += (tile.verdict.empty() ? "" : ", ") + VerdictOf(result);
    tile.found |= IsMatch(result);
  }
  tile.mark = MarkOf(answer, truth);
  tile.known = truth.has_value();
  AddTile(std::move(tile));
}

void IdentificationSheet::AddRefused(const std::string& photo, const std::string& reason) {
  AddTile({.picture = {},
           .name = photo,
           .verdict = reason.empty() ? "no answer" : reason,
           .refused = true});
}

std::string IdentificationSheet::Headline() const {
  size_t found = 0;
  size_t known = 0;
  size_t right = 0;
  size_t wrong = 0;
  size_t refused = 0;
  size_t unfit = 0;
  for (const Tile& tile : tiles_) {
    found += tile.found ? 1 : 0;
    known += tile.known ? 1 : 0;
    refused += tile.refused ? 1 : 0;
    unfit += !tile.refused && tile.mark == VerdictMark::kUnfit ? 1 : 0;
    wrong += tile.known && tile.mark == VerdictMark::kWrong ? 1 : 0;
    right +=
        tile.known && (tile.mark == VerdictMark::kRight || tile.mark == VerdictMark::kRightNobody)
            ? 1
            : 0;
  }
  std::string text = title_.empty() ? "" : title_ + ": ";
  if (known > 0) {
    text += fmt::format("{} of {} photos right, {} wrong", right, known, wrong);
  } else {
    text += fmt::format("somebody was found in {} of {} photos", found, tiles_.size());
  }
  if (unfit > 0) text += fmt::format("; {} not fit to be compared", unfit);
  if (refused > 0) text += fmt::format("; {} could not be answered", refused);
  if (left_out_ > 0) text += fmt::format("; {} more are not shown", left_out_);
  return text;
}

void IdentificationSheet::DrawTile(const Tile& tile, const cv::Point& corner, cv::Mat& page) const {
  page(cv::Rect(corner, cv::Size(kPictureSide, kPictureSide))).setTo(cv::Scalar::all(228));
  if (!tile.picture.empty()) {
    const cv::Point at(corner.x + (kPictureSide - tile.picture.cols) / 2,
                       corner.y + (kPictureSide - tile.picture.rows) / 2);
    tile.picture.copyTo(page(cv::Rect(at, tile.picture.size())));
  }
  const cv::Point name_at(corner.x, corner.y + kPictureSide + kLine - 5);
  const std::string name = std::filesystem::path(tile.name).filename().string();
  facegate::Write(page, Fit(name, kPictureSide), name_at, cv::Scalar::all(90));
  const cv::Point verdict_at(corner.x, name_at.y + kLine);
  DrawMark(tile.mark, {verdict_at.x, verdict_at.y - kMarkSide + 2}, page);
  const int indent = kMarkSide + 5;
  facegate::Write(page, Fit(tile.verdict, kPictureSide - indent),
                  {verdict_at.x + indent, verdict_at.y}, ColourOf(tile.mark));
}

cv::Mat IdentificationSheet::Draw() const {
  const auto count = static_cast<int>(tiles_.size());
  const int columns = std::clamp(count, 1, kColumns);
  const int rows = (count + columns - 1) / columns;
  const int cell_width = kPictureSide + kGap;
  const int cell_height = kPictureSide + 2 * kLine + kGap;
  cv::Mat page(kTitle + rows * cell_height + kGap, columns * cell_width + kGap, CV_8UC3,
               cv::Scalar::all(248));
  facegate::Write(page, Fit(Headline(), page.cols - 2 * kGap), {kGap, 22}, cv::Scalar::all(40));
  for (int i = 0; i < count; ++i) {
    DrawTile(tiles_[static_cast<size_t>(i)],
             {kGap + i % columns * cell_width, kTitle + i / columns * cell_height}, page);
  }
  return page;
}

ClientResult<size_t> IdentificationSheet::Write(const std::string& output) const {
  try {
    if (auto written = WritePicture(Draw(), output); !written.ok()) return written.error();
    return tiles_.size();
  } catch (const cv::Exception& error) {
    return LocalError(fmt::format("cannot be drawn to {}: {}", output, error.err));
  }
}

}  // namespace facegate
