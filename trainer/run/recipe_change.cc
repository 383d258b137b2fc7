#include "trainer/run/recipe_change.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>

#include "trainer/run/recipe_keys.h"

namespace facegate {
namespace {

// These keys say where something lies.
constexpr std::array<std::string_view, 7> kPlaces = {
    "data.train",      "data.unlabelled", "data.leave_out", "evaluate.pairs",
    "evaluate.photos", "teacher.model",   "network.init"};
// Results do not depend on these, or only as it is said.
constexpr std::array<std::string_view, 12> kFree = {
    "data.root",          "machine.threads",       "machine.loader_threads", "machine.device",
    "machine.cuda_graph", "machine.deterministic", "machine.processes",      "machine.compress",
    "machine.recompute",  "checkpoint.every",      "checkpoint.keep",        "checkpoint.patience"};
// This one was a text before it was a list.
constexpr std::string_view kPairs = "evaluate.pairs";
constexpr std::string_view kEpochs = "schedule.epochs";
constexpr std::string_view kProcesses = "machine.processes";
constexpr std::string_view kDevice = "machine.device";
// Of what is free, these change how numbers are rounded.
constexpr std::array<std::string_view, 5> kRound = {"machine.threads", kDevice, kProcesses,
                                                    "machine.compress", "machine.recompute"};
constexpr std::string_view kCard = "card.";

bool IsNothing(std::string_view value) { return value == "\"\"" || value == "[]"; }

// The values of a rendered recipe by "section.key".
std::map<std::string, std::string> ValuesOf(std::string_view yaml) {
  std::map<std::string, std::string> values;
  std::string section;
  while (!yaml.empty()) {
    const size_t end = std::min(yaml.find('\n'), yaml.size());
    const std::string_view line = yaml.substr(0, end);
    yaml.remove_prefix(std::min(end + 1, yaml.size()));
    const size_t colon = line.find(": ");
    if (line.starts_with("  ") && colon != std::string_view::npos) {
      const std::string key = fmt::format("{}.{}", section, line.substr(2, colon - 2));
      const std::string_view value = line.substr(colon + 2);
      if (key == kBf16Key) {
        values[std::string(kPrecisionKey)] =
            fmt::format("\"{}\"", PrecisionWithBf16(value == "true"));
      } else if (key == kPairs && value.starts_with('"')) {
        values[key] = IsNothing(value) ? "[]" : fmt::format("[{}]", value);
      } else {
        values[key] = value;
      }
    } else if (line.ends_with(':')) {
      section = line.substr(0, line.size() - 1);
    }
  }
  return values;
}

template <size_t N>
bool IsAmong(const std::array<std::string_view, N>& keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

std::optional<double> NumberOf(std::string_view text) {
  double number = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool MayChange(const RecipeChange& change) {
  if (change.key == kEpochs) return NumberOf(change.now) > NumberOf(change.before);
  // Something that was not there before is not the same in another place.
  if (IsAmong(kPlaces, change.key)) return IsNothing(change.before) == IsNothing(change.now);
  return IsAmong(kFree, change.key) || change.key.starts_with(kCard);
}

}  // namespace

std::vector<RecipeChange> RecipeChanges(std::string_view frozen, std::string_view asked,
                                        std::string_view defaults) {
  auto before = ValuesOf(defaults);
  for (auto& [key, value] : ValuesOf(frozen)) before[key] = value;
  std::vector<RecipeChange> changes;
  for (const auto& [key, value] : ValuesOf(asked)) {
    if (before[key] != value) changes.push_back({.key = key, .before = before[key], .now = value});
  }
  return changes;
}

Status CheckMayChange(const std::string& run, const std::vector<RecipeChange>& changes) {
  std::vector<std::string> refused;
  for (const RecipeChange& change : changes) {
    if (MayChange(change)) continue;
    refused.push_back(fmt::format("{}: {}, which was {}", change.key, change.now, change.before));
  }
  if (refused.empty()) return OkStatus();
  return FailedPrecondition(
      fmt::format("{} was begun with another recipe (now {}). Leave out --recipe and --set to go "
                  "on with its own, or name a new folder",
                  run, fmt::join(refused, "; ")));
}

std::vector<std::string> DescribeChanges(const std::vector<RecipeChange>& changes) {
  std::vector<std::string> sentences;
  sentences.reserve(changes.size());
  for (const RecipeChange& change : changes) {
    std::string& sentence = sentences.emplace_back(
        fmt::format("{} is {} now; it was {}", change.key, change.now, change.before));
    if (change.key == kEpochs) {
      sentence +=
          ". The learning rate follows the longer schedule from here on, so the result is not that "
          "of as many epochs at once";
    } else if (std::find(kRound.begin(), kRound.end(), change.key) != kRound.end()) {
      sentence += ". From here on, results differ from those of before in their rounding";
      if (change.key == kProcesses || change.key == kDevice) {
        sentence += ", and what a network leaves out at random is drawn anew";
      }
    }
  }
  return sentences;
}

}  // namespace facegate
