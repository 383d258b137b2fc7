#include "trainer/report/row_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace facegate::report {

namespace {

template <typename Row>
struct Column {
  const char* name;
  double Row::*value;
};

// These columns follow batch and epoch, in the order of the header.
constexpr std::array<Column<StepRow>, 7> kStepColumns = {{
    {"loss", &StepRow::loss},
    {"distillation", &StepRow::distillation},
    {"map_distillation", &StepRow::map_distillation},
    {"accuracy", &StepRow::accuracy},
    {"learning_rate", &StepRow::learning_rate},
    {"gradient_norm", &StepRow::gradient_norm},
    {"images_per_second", &StepRow::images_per_second},
}};

// These columns follow batch, epoch and set.
constexpr std::array<Column<EvaluationRow>, 8> kEvaluationColumns = {{
    {"accuracy", &EvaluationRow::accuracy},
    {"deviation", &EvaluationRow::deviation},
    {"tar_1e2", &EvaluationRow::tar_1e2},
    {"tar_1e3", &EvaluationRow::tar_1e3},
    {"eer", &EvaluationRow::eer},
    {"auc", &EvaluationRow::auc},
    {"d_prime", &EvaluationRow::d_prime},
    {"threshold", &EvaluationRow::threshold},
}};

// These columns follow batch and epoch.
constexpr std::array<Column<ValidationRow>, 5> kValidationColumns = {{
    {"loss", &ValidationRow::loss},
    {"top_1", &ValidationRow::top_1},
    {"top_3", &ValidationRow::top_3},
    {"top_5", &ValidationRow::top_5},
    {"top_10", &ValidationRow::top_10},
}};

std::string Field(double value) { return std::isnan(value) ? "" : fmt::format("{}", value); }

std::string Field(const std::string& text) {
  if (text.find_first_of(",\"") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

// The fields of a line; nothing where a quotation mark has no partner.
std::optional<std::vector<std::string>> Fields(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back().push_back('"');
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back().push_back(c);
    }
  }
  if (quoted) return std::nullopt;
  return fields;
}

template <typename T>
bool Parse(const std::string& text, T& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

bool ParseOrEmpty(const std::string& text, double& value) {
  if (!text.empty()) return Parse(text, value);
  value = kNotMeasured;
  return true;
}

// The columns that come after the first `skipped` names of `header`; nothing where it has others.
template <typename Row>
std::optional<std::vector<Column<Row>>> ColumnsOf(std::string_view header, size_t skipped,
                                                  std::span<const Column<Row>> known) {
  const auto names = Fields(header);
  if (!names.has_value() || names->size() < skipped) return std::nullopt;
  std::vector<Column<Row>> columns;
  for (size_t i = skipped; i < names->size(); ++i) {
    const auto found = std::find_if(known.begin(), known.end(), [&](const Column<Row>& column) {
      return (*names)[i] == column.name;
    });
    if (found == known.end()) return std::nullopt;
    columns.push_back(*found);
  }
  return columns;
}

// Reads the fields behind the first `skipped` ones.
template <typename Row>
bool ParseColumns(std::string_view header, size_t skipped, std::span<const Column<Row>> known,
                  std::span<const std::string> fields, Row& row) {
  const auto columns = ColumnsOf(header, skipped, known);
  if (!columns.has_value() || fields.size() != skipped + columns->size()) return false;
  for (size_t i = 0; i < columns->size(); ++i) {
    if (!ParseOrEmpty(fields[skipped + i], row.*(*columns)[i].value)) return false;
  }
  return true;
}

Status NoRow(std::string_view header) {
  return DataLoss(fmt::format("expected a row of {}", header));
}

nlohmann::ordered_json JsonOf(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json();
}

nlohmann::ordered_json Begin(std::string_view kind, int64_t batch, int64_t unix_micros) {
  const std::string time =
      fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(unix_micros / 1'000'000),
                  unix_micros / 1'000 % 1'000);
  return {{"time", time}, {"kind", kind}, {"batch", batch}};
}

template <typename Row>
std::string NumbersLine(const Row& row, std::span<const Column<Row>> columns) {
  std::string line = fmt::format("{},{}", row.batch, row.epoch);
  for (const auto& column : columns) line += "," + Field(row.*column.value);
  return line;
}

// A row of numbers alone.
template <typename Row>
StatusOr<Row> NumbersFromCsv(std::string_view line, std::string_view header,
                             std::span<const Column<Row>> columns) {
  const auto fields = Fields(line);
  Row row;
  if (!fields.has_value() || !ParseColumns<Row>(header, 2, columns, *fields, row) ||
      !Parse((*fields)[0], row.batch) || !Parse((*fields)[1], row.epoch)) {
    return NoRow(header);
  }
  return row;
}

template <typename Row>
void AddNumbers(const Row& row, std::span<const Column<Row>> columns,
                nlohmann::ordered_json& json) {
  for (const auto& column : columns) json[column.name] = JsonOf(row.*column.value);
}

// Text that is no UTF-8 (a file's name) gets replacement characters.
std::string Line(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::string CsvLine(const StepRow& row) { return NumbersLine<StepRow>(row, kStepColumns); }

std::string CsvLine(const ValidationRow& row) {
  return NumbersLine<ValidationRow>(row, kValidationColumns);
}

std::string CsvLine(const EvaluationRow& row) {
  std::string line = fmt::format("{},{},{}", row.batch, row.epoch, Field(row.set));
  for (const auto& column : kEvaluationColumns) line += "," + Field(row.*column.value);
  return line;
}

StatusOr<StepRow> StepFromCsv(std::string_view line, std::string_view header) {
  return NumbersFromCsv<StepRow>(line, header, kStepColumns);
}

StatusOr<ValidationRow> ValidationFromCsv(std::string_view line, std::string_view header) {
  return NumbersFromCsv<ValidationRow>(line, header, kValidationColumns);
}

StatusOr<EvaluationRow> EvaluationFromCsv(std::string_view line, std::string_view header) {
  const auto fields = Fields(line);
  EvaluationRow row;
  if (!fields.has_value() ||
      !ParseColumns<EvaluationRow>(header, 3, kEvaluationColumns, *fields, row) ||
      !Parse((*fields)[0], row.batch) || !Parse((*fields)[1], row.epoch)) {
    return NoRow(header);
  }
  row.set = (*fields)[2];
  return row;
}

std::string JsonLine(const StepRow& row, int64_t unix_micros) {
  nlohmann::ordered_json json = Begin("step", row.batch, unix_micros);
  json["epoch"] = JsonOf(row.epoch);
  AddNumbers<StepRow>(row, kStepColumns, json);
  return Line(json);
}

std::string JsonLine(const ValidationRow& row, int64_t unix_micros) {
  nlohmann::ordered_json json = Begin("validation", row.batch, unix_micros);
  json["epoch"] = JsonOf(row.epoch);
  AddNumbers<ValidationRow>(row, kValidationColumns, json);
  return Line(json);
}

std::string JsonLine(const EvaluationRow& row, int64_t unix_micros) {
  nlohmann::ordered_json json = Begin("evaluation", row.batch, unix_micros);
  json["epoch"] = JsonOf(row.epoch);
  json["set"] = row.set;
  AddNumbers<EvaluationRow>(row, kEvaluationColumns, json);
  return Line(json);
}

std::string JsonNote(int64_t batch, std::string_view text, int64_t unix_micros) {
  nlohmann::ordered_json json = Begin("note", batch, unix_micros);
  json["text"] = text;
  return Line(json);
}

}  // namespace facegate::report
