#include "face/decide/calibration_json.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <vector>

#include "face/base/sha256.h"

namespace facegate {
namespace {

std::string Text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string Number(uint64_t value) { return std::to_string(value); }

std::string Number(double value) {
  std::array<char, 64> text;
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), result.ptr);
}

// "name":[...] of a member of each row.
template <typename Row, typename Value>
std::string Column(std::string_view name, const std::vector<Row>& rows, Value Row::*member) {
  std::string text = fmt::format("\"{}\":[", name);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) text += ',';
    text += Number(rows[i].*member);
  }
  return text + "]";
}

std::string FalseMatchJson(const std::vector<FalseMatchRow>& rows) {
  using Row = FalseMatchRow;
  return fmt::format("{{{},{},{},{},{}}}", Column("threshold", rows, &Row::threshold),
                     Column("pairs", rows, &Row::pairs), Column("rate", rows, &Row::rate),
                     Column("person_variance", rows, &Row::person_variance),
                     Column("pair_variance", rows, &Row::pair_variance));
}

std::string FalseNonMatchJson(const std::vector<FalseNonMatchRow>& rows) {
  using Row = FalseNonMatchRow;
  return fmt::format("{{{},{},{}}}", Column("threshold", rows, &Row::threshold),
                     Column("rate", rows, &Row::rate),
                     Column("person_variance", rows, &Row::person_variance));
}

std::string GalleriesJson(const std::vector<GalleryTable>& tables) {
  using Row = GalleryRow;
  std::string text;
  for (const GalleryTable& table : tables) {
    if (!text.empty()) text += ',';
    text += fmt::format(R"({{"identities":{},{},{},{},{}}})", table.identities,
                        Column("threshold", table.rows, &Row::threshold),
                        Column("rate", table.rows, &Row::rate),
                        Column("estimate_variance", table.rows, &Row::estimate_variance),
                        Column("gallery_variance", table.rows, &Row::gallery_variance));
  }
  return "[" + text + "]";
}

// Everything but "id", without the outer braces.
std::string Content(const Calibration& one) {
  return fmt::format(
      R"("set":{},"model_digest":{},"preprocessing_digest":{},"probe_quality":{},"photos":{},)"
      R"("photos_left_out":{},"people":{},"impostor_pairs":{},"impostor_comparisons":{},)"
      R"("genuine_people":{},"genuine_pairs":{},"false_match":{},"false_non_match":{},)"
      R"("galleries":{})",
      Text(one.set), Text(one.model_digest), Text(one.preprocessing_digest),
      Number(one.probe_quality), one.photos, one.photos_left_out, one.people, one.impostor_pairs,
      one.impostor_comparisons, one.genuine_people, one.genuine_pairs,
      FalseMatchJson(one.false_match), FalseNonMatchJson(one.false_non_match),
      GalleriesJson(one.galleries));
}

}  // namespace

std::string CalibrationToJson(const Calibration& calibration) {
  return fmt::format(R"({{"id":{},{}}})", Text(calibration.id), Content(calibration));
}

std::string CalibrationId(const Calibration& calibration) {
  return Sha256Hex("{" + Content(calibration) + "}");
}

}  // namespace facegate
