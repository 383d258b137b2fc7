#include "trainer/sweep/sweep_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "face/base/catch.h"
#include "trainer/run/recipe_change.h"

namespace facegate {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kLeastEta = 2;
constexpr int64_t kMostEta = 100;

Status CheckHalving(const SweepPlan& plan) {
  if (plan.eta < kLeastEta || plan.eta > kMostEta) {
    return RefuseField("--eta",
                       fmt::format("is {}, must be {} to {}", plan.eta, kLeastEta, kMostEta));
  }
  if (!plan.first_epochs.has_value()) return OkStatus();
  if (plan.method != SweepMethod::kHalving) {
    return RefuseField("--first-epochs", "is of --method halving");
  }
  const double epochs = plan.base.schedule.epochs;
  if (!(*plan.first_epochs > 0.0 && *plan.first_epochs <= epochs)) {
    return RefuseField("--first-epochs", fmt::format("is {:g}, must be above 0 and at most {:g}, "
                                                     "the epochs of a whole trial",
                                                     *plan.first_epochs, epochs));
  }
  return OkStatus();
}

Json JsonOf(const SweepPlan& plan) {
  Json json;
  json["try"] = plan.tries;
  json["method"] = SweepMethodName(plan.method);
  json["trials"] = plan.trials.has_value() ? Json(*plan.trials) : Json(nullptr);
  json["seed"] = plan.seed;
  if (plan.method == SweepMethod::kHalving) {
    json["eta"] = plan.eta;
    json["first_epochs"] = plan.first_epochs.has_value() ? Json(*plan.first_epochs) : Json(nullptr);
  }
  json["score_by"] = plan.score_by;
  return json;
}

// What another plan has of a key.
std::string TextOf(const Json& json, const std::string& key) {
  if (!json.contains(key) || json[key].is_null() || json[key].empty()) return "not given";
  const Json& value = json[key];
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) {
    return fmt::format("{}", fmt::join(value.get<std::vector<std::string>>(), " "));
  }
  return value.dump();
}

// "first_epochs" is --first-epochs.
std::string OptionOf(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return "--" + key;
}

// Tells whether all random trials of a plan are among those of another one.
bool AreMore(const SweepPlan& before, const SweepPlan& now) {
  return now.method == SweepMethod::kRandom && before.method == now.method &&
         now.trials.value_or(kUsualTrials) >= before.trials.value_or(kUsualTrials);
}

}  // namespace

Recipe KeptBase(const Recipe& recipe) {
  Recipe kept = SpelledOut(recipe);
  kept.head.margin = recipe.head.margin;
  kept.machine.threads = recipe.machine.threads;
  return kept;
}

StatusOr<PlannedSweep> PlanSweep(const SweepPlan& plan) {
  FACEGATE_RETURN_IF_ERROR(CheckHalving(plan));
  PlannedSweep planned;
  FACEGATE_ASSIGN_OR_RETURN(planned.space, ParseTries(plan.tries));
  FACEGATE_ASSIGN_OR_RETURN(planned.trials,
                            DrawTrials(planned.space, plan.method, plan.trials, plan.seed));
  if (plan.method == SweepMethod::kHalving) {
    const double least = plan.first_epochs.value_or(0.0) / plan.base.schedule.epochs;
    planned.rounds = HalvingRounds(planned.trials.size(), plan.eta, least);
  } else {
    planned.rounds = {{.trials = planned.trials.size(), .share = 1.0}};
  }
  return planned;
}

std::string PlanToJson(const SweepPlan& plan) {
  return JsonOf(plan).dump(2, ' ', false, Json::error_handler_t::replace);
}

Status PlanFromJson(const std::string& json, SweepPlan& plan) {
  const Status status = CatchToStatus("the plan", [&]() -> Status {
    const Json read = Json::parse(json);
    plan.tries = read.at("try").get<std::vector<std::string>>();
    const auto method = SweepMethodFromName(read.at("method").get<std::string>());
    if (!method.has_value()) return InvalidArgument("the plan: there is no such method");
    plan.method = *method;
    plan.trials.reset();
    if (!read.at("trials").is_null()) plan.trials = read.at("trials").get<size_t>();
    plan.seed = read.at("seed").get<uint64_t>();
    plan.eta = read.value("eta", plan.eta);
    plan.first_epochs.reset();
    if (read.contains("first_epochs") && !read.at("first_epochs").is_null()) {
      plan.first_epochs = read.at("first_epochs").get<double>();
    }
    plan.score_by = read.at("score_by").get<std::vector<std::string>>();
    return OkStatus();
  });
  return status.ok() ? status : DataLoss(MessageOf(status));
}

Status CheckSamePlan(const std::string& folder, const SweepPlan& before, const SweepPlan& now) {
  const Json old_plan = JsonOf(before);
  const Json new_plan = JsonOf(now);
  std::vector<std::string> others;
  for (const auto& [key, value] : new_plan.items()) {
    if (old_plan.contains(key) && old_plan[key] == value) continue;
    if (key == "trials" && AreMore(before, now)) continue;
    others.push_back(fmt::format("{}: {}, which was {}", OptionOf(key), TextOf(new_plan, key),
                                 TextOf(old_plan, key)));
  }
  if (!others.empty()) {
    return FailedPrecondition(
        fmt::format("{} was begun with another plan (now {}). facegate-train sweep {} goes on with "
                    "its own; or name a new folder",
                    folder, fmt::join(others, "; "), folder));
  }
  const auto changes =
      RecipeChanges(RecipeToYaml(before.base), RecipeToYaml(now.base), RecipeToYaml(Recipe{}));
  for (const RecipeChange& change : changes) {
    if (change.key != "schedule.epochs") continue;
    return FailedPrecondition(
        fmt::format("{} was begun with another plan (now schedule.epochs: {}, which was {}). "
                    "facegate-train sweep {} goes on with its own; or name a new folder",
                    folder, change.now, change.before, folder));
  }
  return CheckMayChange(folder, changes);
}

}  // namespace facegate
