#include "trainer/align/work_record.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace facegate {
namespace {

constexpr int kFormat = 1;

nlohmann::ordered_json ToJson(const WorkRecord& record) {
  nlohmann::ordered_json json;
  json[record.kind] = kFormat;
  for (const auto& [name, value] : record.settings) json[name] = value;
  for (const auto& [name, value] : record.later) json[name] = value;
  json["sources"] = record.sources;
  return json;
}

// A text as it is, anything else as JSON.
std::string TextOf(const nlohmann::json& json, const std::string& name) {
  const auto found = json.find(name);
  if (found == json.end()) return "unknown";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

}  // namespace

std::string RecordText(const WorkRecord& record) {
  return ToJson(record).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Status CheckRecord(std::string_view text, const WorkRecord& record, const std::string& place) {
  const auto there = nlohmann::json::parse(text, nullptr, false);
  if (!there.is_object() || there.value(record.kind, 0) != kFormat) {
    return FailedPrecondition(
        fmt::format("{} has a record ({}) that this version cannot read; give another OUT", place,
                    record.file));
  }
  // Through text, in which bytes that are no UTF-8 are replaced.
  const auto mine = nlohmann::json::parse(RecordText(record));
  std::string differences;
  const auto compare = [&](const std::string& name) {
    const std::string before = TextOf(there, name);
    const std::string now = TextOf(mine, name);
    if (before == now) return;
    differences += fmt::format("{}{} is {} there and {} now", differences.empty() ? "" : ", ", name,
                               before, now);
  };
  for (const auto& [name, value] : record.settings) compare(name);
  for (const auto& [name, value] : record.later) {
    if (there.contains(name)) compare(name);
  }
  if (differences.empty()) return OkStatus();
  return FailedPrecondition(
      fmt::format("{} was begun otherwise: {}; go on as it was begun, or give another OUT", place,
                  differences));
}

}  // namespace facegate
