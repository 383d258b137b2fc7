#include "face/decide/calibration_reader.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

namespace facegate {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxRows = 1024;     // of a table
constexpr size_t kMaxGalleries = 64;  // tables
constexpr int kMaxDepth = 6;

// One object, read field by field. The first thing that is wrong is kept, and what is read after it
// means nothing; Finish() tells.
class FieldReader {
 public:
  FieldReader(const Json& object, std::string path) : object_(object), path_(std::move(path)) {
    if (!object_.is_object()) Fail("", "is not an object");
  }

  void Fail(std::string_view key, std::string_view what) {
    if (!status_.ok()) return;
    const std::string_view dot = path_.empty() || key.empty() ? "" : ".";
    status_ =
        InvalidArgument(fmt::format("calibration field \"{}{}{}\" {}", path_, dot, key, what));
  }
  void Absorb(const Status& status) {
    if (status_.ok()) status_ = status;
  }
  const Json& At(const char* key) {
    static const Json null_value;
    read_.insert(key);
    if (object_.is_object() && object_.contains(key)) return object_[key];
    Fail(key, "is missing");
    return null_value;
  }
  std::string Text(const char* key) {
    const Json& value = At(key);
    if (!value.is_string()) Fail(key, "is not text");
    return value.is_string() ? value.get<std::string>() : std::string();
  }
  uint64_t Count(const char* key) { return CountOf(At(key), key); }
  double Number(const char* key) { return NumberOf(At(key), key); }

  // Reads a column of a table into a member of each row; the first column makes the rows.
  template <typename Row>
  void Column(const char* key, double Row::*member, std::vector<Row>& rows) {
    ReadColumn(key, rows, [&](const Json& value, Row& row) { row.*member = NumberOf(value, key); });
  }
  template <typename Row>
  void Column(const char* key, uint64_t Row::*member, std::vector<Row>& rows) {
    ReadColumn(key, rows, [&](const Json& value, Row& row) { row.*member = CountOf(value, key); });
  }

  // OK when all went well and the object has no other key than those read.
  Status Finish() {
    if (!status_.ok()) return status_;
    for (const auto& [key, value] : object_.items()) {
      if (!read_.contains(key)) Fail("", "has a key that is unknown");
    }
    return status_;
  }

 private:
  uint64_t CountOf(const Json& value, const char* key) {
    if (value.is_number_unsigned()) return value.get<uint64_t>();
    Fail(key, "is not a whole number from 0 on");
    return 0;
  }
  double NumberOf(const Json& value, const char* key) {
    if (value.is_number()) return value.get<double>();
    Fail(key, "is not a number");
    return 0.0;
  }
  template <typename Row, typename Store>
  void ReadColumn(const char* key, std::vector<Row>& rows, const Store& store) {
    const bool first = read_.empty() || (read_.size() == 1 && read_.contains("identities"));
    const Json& column = At(key);
    if (!column.is_array() || column.size() > kMaxRows) {
      Fail(key, fmt::format("is not an array of at most {} numbers", kMaxRows));
      return;
    }
    if (first) rows.resize(column.size());
    if (column.size() != rows.size()) {
      Fail(key, fmt::format("has {} numbers, others {}", column.size(), rows.size()));
      return;
    }
    for (size_t i = 0; i < rows.size(); ++i) store(column[i], rows[i]);
  }

  const Json& object_;
  std::string path_;
  std::set<std::string, std::less<>> read_;
  Status status_;
};

StatusOr<std::vector<FalseMatchRow>> ReadFalseMatch(const Json& json) {
  FieldReader reader(json, "false_match");
  std::vector<FalseMatchRow> rows;
  reader.Column("threshold", &FalseMatchRow::threshold, rows);
  reader.Column("pairs", &FalseMatchRow::pairs, rows);
  reader.Column("rate", &FalseMatchRow::rate, rows);
  reader.Column("person_variance", &FalseMatchRow::person_variance, rows);
  reader.Column("pair_variance", &FalseMatchRow::pair_variance, rows);
  FACEGATE_RETURN_IF_ERROR(reader.Finish());
  return rows;
}

StatusOr<std::vector<FalseNonMatchRow>> ReadFalseNonMatch(const Json& json) {
  FieldReader reader(json, "false_non_match");
  std::vector<FalseNonMatchRow> rows;
  reader.Column("threshold", &FalseNonMatchRow::threshold, rows);
  reader.Column("rate", &FalseNonMatchRow::rate, rows);
  reader.Column("person_variance", &FalseNonMatchRow::person_variance, rows);
  FACEGATE_RETURN_IF_ERROR(reader.Finish());
  return rows;
}

StatusOr<std::vector<GalleryTable>> ReadGalleries(const Json& json) {
  if (!json.is_array() || json.size() > kMaxGalleries) {
    return InvalidArgument(fmt::format(
        "calibration field \"galleries\" is not an array of at most {}", kMaxGalleries));
  }
  std::vector<GalleryTable> tables;
  for (const Json& item : json) {
    FieldReader reader(item, fmt::format("galleries[{}]", tables.size()));
    GalleryTable table;
    table.identities = reader.Count("identities");
    reader.Column("threshold", &GalleryRow::threshold, table.rows);
    reader.Column("rate", &GalleryRow::rate, table.rows);
    reader.Column("estimate_variance", &GalleryRow::estimate_variance, table.rows);
    reader.Column("gallery_variance", &GalleryRow::gallery_variance, table.rows);
    FACEGATE_RETURN_IF_ERROR(reader.Finish());
    tables.push_back(std::move(table));
  }
  return tables;
}

template <typename T>
void Keep(FieldReader& reader, StatusOr<T> value, T& field) {
  if (value.ok()) {
    field = *std::move(value);
  } else {
    reader.Absorb(value.status());
  }
}

// Parses; an error for what is no JSON, nested too deeply, or has a key twice in one object.
StatusOr<Json> ParseStrictly(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  bool strict = true;
  const auto look = [&](int depth, Json::parse_event_t event, const Json& parsed) {
    if (depth > kMaxDepth) strict = false;
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key &&
        !keys.back().insert(parsed.get<std::string>()).second) {
      strict = false;
    }
    return strict;
  };
  Json json = Json::parse(text, look, false);
  if (!strict || json.is_discarded()) {
    return InvalidArgument("the calibration is no JSON, or has a key twice in an object");
  }
  return json;
}

}  // namespace

StatusOr<Calibration> CalibrationFromJson(std::string_view text) {
  if (text.size() > kMaxCalibrationBytes) {
    return InvalidArgument(fmt::format("the calibration has {} bytes, limit is {}", text.size(),
                                       kMaxCalibrationBytes));
  }
  FACEGATE_ASSIGN_OR_RETURN(const Json json, ParseStrictly(text));
  FieldReader reader(json, "");
  Calibration result;
  result.id = reader.Text("id");
  result.set = reader.Text("set");
  result.model_digest = reader.Text("model_digest");
  result.preprocessing_digest = reader.Text("preprocessing_digest");
  result.probe_quality = reader.Number("probe_quality");
  result.photos = reader.Count("photos");
  result.photos_left_out = reader.Count("photos_left_out");
  result.people = reader.Count("people");
  result.impostor_pairs = reader.Count("impostor_pairs");
  result.impostor_comparisons = reader.Count("impostor_comparisons");
  result.genuine_people = reader.Count("genuine_people");
  result.genuine_pairs = reader.Count("genuine_pairs");
  Keep(reader, ReadFalseMatch(reader.At("false_match")), result.false_match);
  Keep(reader, ReadFalseNonMatch(reader.At("false_non_match")), result.false_non_match);
  Keep(reader, ReadGalleries(reader.At("galleries")), result.galleries);
  FACEGATE_RETURN_IF_ERROR(reader.Finish());
  FACEGATE_RETURN_IF_ERROR(CheckCalibration(result));
  return result;
}

}  // namespace facegate
