#include "trainer/align/manifest.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

#include "trainer/photos/text_table.h"

namespace facegate {
namespace {

constexpr std::string_view kColumns =
    "path,identity,status,source,found,face,faces,probability,quality,box_x,box_y,box_width,"
    "box_height,left_eye_x,left_eye_y,right_eye_x,right_eye_y,nose_x,nose_y,left_mouth_x,"
    "left_mouth_y,right_mouth_x,right_mouth_y,reason\n";
constexpr size_t kColumnCount = 24;
// The columns that are read back.
constexpr size_t kPath = 0;
constexpr size_t kStatus = 2;
constexpr size_t kFace = 5;
constexpr size_t kFaces = 6;

constexpr size_t kPoints = 5;

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char sign : text) {
    if (sign == '"') quoted += '"';
    const auto code = static_cast<unsigned char>(sign);
    quoted += code < 0x20 || code == 0x7F ? ' ' : sign;
  }
  return quoted + "\"";
}

// The columns from the probability to the last landmark, each with a comma behind it.
std::string FaceFields(const ManifestRow& row) {
  const bool boxed = row.at.has_value() && !row.at->box.empty();
  std::string fields = row.at.has_value() ? fmt::format("{:.4f},", row.at->score) : ",";
  fields += row.quality.has_value() ? fmt::format("{:.4f},", *row.quality) : ",";
  fields += boxed ? fmt::format("{:.2f},{:.2f},{:.2f},{:.2f},", row.at->box.x, row.at->box.y,
                                row.at->box.width, row.at->box.height)
                  : ",,,,";
  for (size_t i = 0; i < kPoints; ++i) {
    const bool known = row.at.has_value() && i < row.at->landmarks.size();
    fields += known ? fmt::format("{:.2f},{:.2f},", row.at->landmarks[i].x, row.at->landmarks[i].y)
                    : ",,";
  }
  return fields;
}

std::optional<size_t> NumberIn(const std::string& field) {
  size_t number = 0;
  const char* const end = field.data() + field.size();
  const auto [after, error] = std::from_chars(field.data(), end, number);
  if (error != std::errc() || after != end) return std::nullopt;
  return number;
}

}  // namespace

std::string ManifestHeader() { return std::string(kColumns); }

std::string ManifestLine(const ManifestRow& row) {
  return fmt::format("{},{},{},{},{},{},{},{}{}\n", Quoted(row.path), Quoted(row.identity),
                     CutStatusName(row.status), Quoted(row.source), row.found, row.face, row.faces,
                     FaceFields(row), Quoted(row.reason));
}

ManifestReader::ManifestReader(std::string_view text) : text_(text) {
  at_ = text.starts_with(kColumns) ? kColumns.size() : text.size();
}

std::optional<ManifestPhoto> ManifestReader::Next() {
  ManifestPhoto photo;
  do {
    std::optional<ManifestEntry> entry = NextEntry();
    if (!entry.has_value() || entry->face != photo.entries.size()) return std::nullopt;
    photo.entries.push_back(*std::move(entry));
  } while (photo.entries.size() < photo.entries.front().faces);
  photo.end = at_;
  return photo;
}

std::optional<ManifestEntry> ManifestReader::NextEntry() {
  // A line's end is its proof that it was written whole.
  const size_t end = text_.find('\n', at_);
  if (end == std::string_view::npos) return std::nullopt;
  const auto rows = FirstRows(text_.substr(at_, end - at_), Separator::kComma, 1);
  if (!rows.ok() || rows->empty() || rows->front().fields.size() != kColumnCount) {
    return std::nullopt;
  }
  const std::vector<std::string>& fields = rows->front().fields;
  const std::optional<CutStatus> status = CutStatusFromName(fields[kStatus]);
  const std::optional<size_t> face = NumberIn(fields[kFace]);
  const std::optional<size_t> faces = NumberIn(fields[kFaces]);
  if (!status.has_value() || !face.has_value() || !faces.has_value()) return std::nullopt;
  if (HasCrop(*status) == fields[kPath].empty()) return std::nullopt;
  at_ = end + 1;
  return ManifestEntry{.path = fields[kPath], .status = *status, .face = *face, .faces = *faces};
}

bool IsWholeManifest(std::string_view text, size_t photos) {
  ManifestReader reader(text);
  size_t found = 0;
  size_t end = 0;
  while (const std::optional<ManifestPhoto> photo = reader.Next()) {
    end = photo->end;
    ++found;
  }
  return found == photos && end == text.size();
}

}  // namespace facegate
