#include "clients/cli/sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "clients/cli/drawing.h"
#include "clients/cli/lettering.h"
#include "clients/cli/report.h"
#include "clients/cli/resize.h"

namespace facegate::cli {
namespace {

constexpr int kColumns = 6;
constexpr int kGap = 14;    // pixels
constexpr int kLine = 20;   // of text
constexpr int kTitle = 34;  // the line above the page
constexpr double kLetterHeight = 9;

Pen PenOf(Colour colour) { return {.letter_height = kLetterHeight, .colour = colour}; }

// Ends in ".." where it would be wider than `width` pixels.
std::string Fit(std::string text, int width) {
  const auto wide = [&](const std::string& line) { return WidthOf(line, PenOf({})) > width; };
  if (!wide(text)) return text;
  while (!text.empty() && wide(text + "..")) text.pop_back();
  return text + "..";
}

bool IsUnfit(const v1::IdentifyResponse::Result& result) {
  return result.decision() == v1::DECISION_INCONCLUSIVE;
}

// The identity with its collection, where several were searched.
std::string VerdictOf(const v1::IdentifyResponse::Result& result, bool several) {
  if (IsUnfit(result)) {
    const auto& shortcomings = result.face().quality().shortcomings();
    return shortcomings.empty() ? "cannot be compared" : shortcomings[0].advice();
  }
  if (result.candidates().empty()) return "nobody";
  const auto& best = result.candidates(0);
  const float score = best.has_normalised() ? best.normalised() : best.cosine();
  if (result.decision() != v1::DECISION_MATCH) return fmt::format("nobody ({:.2f})", score);
  const std::string collection = several ? best.collection_id() + "/" : "";
  return fmt::format("{}{} {:.2f}", collection, best.identity_id(), score);
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

Pixels IdentificationSheet::Picture(const std::string& photo_bytes,
                                    const v1::IdentifyResponse& answer,
                                    const std::optional<PhotoTruth>& truth) {
  const auto photo = DecodePhoto(photo_bytes);
  if (!photo.ok()) return {};  // a format that this machine cannot read: its place stays empty
  const double scale =
      static_cast<double>(kPictureSide) / std::max(photo->width(), photo->height());
  Canvas picture(Resized(photo->view(), std::max(1, static_cast<int>(photo->width() * scale)),
                         std::max(1, static_cast<int>(photo->height() * scale))));
  for (const auto& result : answer.results()) {
    if (!result.face().has_box()) continue;
    const Box box = BoxOf(result.face(), scale, kPictureSide);
    const VerdictMark mark = MarkOf(result, truth);
    // The light rim keeps a grey box apart from a grey picture.
    picture.DrawFrame(box, 4, Grey(245));
    picture.DrawFrame(box, 2, ColourOf(mark));
    DrawMark(mark, std::max(box.x, 0), std::max(box.y, 0), picture);
  }
  return std::move(picture).TakePixels();
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
  Tile tile{.picture = Picture(photo_bytes, answer, truth), .name = photo, .verdict = {}};
  for (const auto& result : answer.results()) {
    tile.verdict +=
        (tile.verdict.empty() ? "" : ", ") + VerdictOf(result, answer.searched_size() > 1);
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

void IdentificationSheet::DrawTile(const Tile& tile, int left, int top, Canvas& page) {
  page.Fill({left, top, kPictureSide, kPictureSide}, Grey(228));
  if (!tile.picture.empty()) {
    page.Place(tile.picture.view(), left + (kPictureSide - tile.picture.width()) / 2,
               top + (kPictureSide - tile.picture.height()) / 2);
  }
  const int name_line = top + kPictureSide + kLine - 5;
  const int verdict_line = name_line + kLine;
  const std::string name = std::filesystem::path(tile.name).filename().string();
  WriteText(Fit(name, kPictureSide), {1. * left, 1. * name_line}, PenOf(Grey(90)), page);
  DrawMark(tile.mark, left, verdict_line - kMarkSide + 2, page);
  constexpr int kIndent = kMarkSide + 5;
  WriteText(Fit(tile.verdict, kPictureSide - kIndent), {1. * left + kIndent, 1. * verdict_line},
            PenOf(ColourOf(tile.mark)), page);
}

Canvas IdentificationSheet::Draw() const {
  const auto count = static_cast<int>(tiles_.size());
  const int columns = std::clamp(count, 1, kColumns);
  const int rows = (count + columns - 1) / columns;
  const int cell_width = kPictureSide + kGap;
  const int cell_height = kPictureSide + 2 * kLine + kGap;
  Canvas page(columns * cell_width + kGap, kTitle + rows * cell_height + kGap, Grey(248));
  WriteText(Fit(Headline(), page.width() - 2 * kGap), {kGap, 22}, PenOf(Grey(40)), page);
  for (int i = 0; i < count; ++i) {
    DrawTile(tiles_[static_cast<size_t>(i)], kGap + i % columns * cell_width,
             kTitle + i / columns * cell_height, page);
  }
  return page;
}

ClientResult<size_t> IdentificationSheet::Write(const std::string& output) const {
  if (auto written = WritePicture(Draw().view(), output); !written.ok()) return written.error();
  return tiles_.size();
}

}  // namespace facegate::cli
