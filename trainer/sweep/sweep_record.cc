#include "trainer/sweep/sweep_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "face/base/catch.h"
#include "face/base/file.h"

namespace facegate {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kRecord[] = "/sweep.json";
constexpr char kBase[] = "/base.yaml";
constexpr uint64_t kMostBytes = 1ULL << 28;
constexpr int kFormat = 1;
constexpr std::array<std::string_view, 5> kStates = {"waiting", "begun", "out", "done", "failed"};

Json JsonOf(const TrialRecord& trial) {
  Json settings = Json::object();
  for (const Setting& setting : trial.settings) settings[setting.key] = setting.value;
  return {{"name", trial.name},
          {"settings", settings},
          {"state", TrialStateName(trial.state)},
          {"scores", trial.scores},
          {"best_batch", trial.best_batch},
          {"epochs", trial.epochs},
          {"seconds", trial.seconds},
          {"reason", trial.reason},
          {"ends", trial.ends},
          {"checkpoint", trial.checkpoint}};
}

// Throws what the parser throws.
StatusOr<TrialRecord> TrialOf(const Json& json) {
  TrialRecord trial;
  trial.name = json.at("name").get<std::string>();
  for (const auto& [key, value] : json.at("settings").items()) {
    trial.settings.push_back({.key = key, .value = value.get<std::string>()});
  }
  const auto state = std::find(kStates.begin(), kStates.end(), json.at("state"));
  if (state == kStates.end()) return InvalidArgument(trial.name + " has an unknown state");
  trial.state = static_cast<TrialState>(state - kStates.begin());
  trial.scores = json.at("scores").get<std::vector<double>>();
  trial.best_batch = json.at("best_batch").get<int64_t>();
  trial.epochs = json.at("epochs").get<double>();
  trial.seconds = json.at("seconds").get<double>();
  trial.reason = json.at("reason").get<std::string>();
  trial.ends = json.at("ends").get<int64_t>();
  trial.checkpoint = json.at("checkpoint").get<std::string>();
  return trial;
}

Status ReadRecord(const std::string& text, SweepRecord& record) {
  const Json json = Json::parse(text);
  if (json.at("format") != kFormat) {
    return InvalidArgument(
        fmt::format("its format is {}, this program knows {}", json.at("format").dump(), kFormat));
  }
  FACEGATE_RETURN_IF_ERROR(PlanFromJson(json.at("plan").dump(), record.plan));
  for (const Json& one : json.at("trials")) {
    FACEGATE_ASSIGN_OR_RETURN(TrialRecord trial, TrialOf(one));
    record.trials.push_back(std::move(trial));
  }
  return OkStatus();
}

}  // namespace

std::string_view TrialStateName(TrialState state) { return kStates[static_cast<size_t>(state)]; }

std::optional<double> TrialRecord::score() const {
  if (scores.empty() || state == TrialState::kFailed) return std::nullopt;
  return scores.back();
}

std::vector<TrialRecord> NewTrials(const std::vector<Settings>& settings) {
  std::vector<TrialRecord> trials;
  trials.reserve(settings.size());
  for (const Settings& one : settings) {
    trials.push_back({.name = fmt::format("trial-{:04}", trials.size() + 1), .settings = one});
  }
  return trials;
}

std::vector<size_t> BestFirst(const std::vector<TrialRecord>& trials) {
  std::vector<size_t> numbers(trials.size());
  std::iota(numbers.begin(), numbers.end(), size_t{0});
  const auto rounds = [&](size_t number) {
    return trials[number].score().has_value() ? trials[number].scores.size() : 0;
  };
  std::stable_sort(numbers.begin(), numbers.end(), [&](size_t a, size_t b) {
    if (rounds(a) != rounds(b)) return rounds(a) > rounds(b);
    return rounds(a) > 0 && *trials[a].score() > *trials[b].score();
  });
  return numbers;
}

std::optional<size_t> BestTrial(const std::vector<TrialRecord>& trials) {
  const std::vector<size_t> numbers = BestFirst(trials);
  if (numbers.empty() || !trials[numbers.front()].score().has_value()) return std::nullopt;
  return numbers.front();
}

Status WriteSweep(const std::string& folder, const SweepRecord& record) {
  Json json;
  json["format"] = kFormat;
  json["plan"] = Json::parse(PlanToJson(record.plan));
  json["trials"] = Json::array();
  for (const TrialRecord& trial : record.trials) json["trials"].push_back(JsonOf(trial));
  // The base first: where there is a sweep.json, there is its base.
  FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(
      folder + kBase,
      "# The recipe whose settings this sweep tries.\n" + RecipeToYaml(record.plan.base)));
  return WriteFileAtomically(folder + kRecord,
                             json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

StatusOr<SweepRecord> ReadSweep(const std::string& folder) {
  const std::string path = folder + kRecord;
  FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMostBytes));
  SweepRecord record;
  const Status status = CatchToStatus("it is no sweep", [&] { return ReadRecord(text, record); });
  if (!status.ok()) return DataLoss(fmt::format("{}: {}", path, MessageOf(status)));
  FACEGATE_RETURN_IF_ERROR(ReadRecipe(folder + kBase, record.plan.base));
  return record;
}

}  // namespace facegate
