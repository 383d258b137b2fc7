#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "tests/support/status_matchers.h"
#include "trainer/learn/class_head.h"
#include "trainer/learn/training.h"
#include "trainer/photos/augment.h"
#include "trainer/run/recipe_keys.h"
#include "trainer/run/resolved_recipe.h"

namespace facegate {
namespace {

// These must be others than their defaults for the end of a range to have a meaning.
const std::map<std::string, std::pair<std::string, std::string>>& Companions() {
  static const std::map<std::string, std::pair<std::string, std::string>> all = {
      {"head.lower_norm", {"head.upper_norm", "1e6"}},
      {"head.upper_norm", {"head.lower_norm", "0.001"}},
      {"schedule.minimum", {"schedule.rate", "1000"}}};
  return all;
}

// Tells whether all that a recipe is made into takes it.
Status Take(const Recipe& recipe) {
  FACEGATE_ASSIGN_OR_RETURN(
      const ResolvedRecipe resolved,
      ResolveRecipe(SpelledOut(recipe), {.identities = 3, .batches_per_epoch = 100}));
  TrainingOptions options = resolved.training;
  FACEGATE_RETURN_IF_ERROR(CheckAugmentation(resolved.augment));
  for (const std::string& kind : MarginKinds()) {
    options.head.margin.kind = kind;
    FACEGATE_RETURN_IF_ERROR(ClassHead::Create(options.head).status());
  }
  for (const std::string& kind : ScheduleKinds()) {
    options.schedule.kind = kind;
    FACEGATE_RETURN_IF_ERROR(LrSchedule::Create(options.schedule).status());
  }
  for (const std::string& kind : OptimizerKinds()) {
    options.optimizer.kind = kind;
    FACEGATE_RETURN_IF_ERROR(Optimizer::Create(options.optimizer, {}).status());
  }
  return Training::Create(options).status();
}

TEST(RecipeRangesTest, AreWhatIsAccepted) {
  Recipe defaults;
  for (const Key& key : RecipeKeys(defaults)) {
    const auto& range = key.limits().range;
    if (!range) continue;
    for (const double end : {range->min, range->max}) {
      Recipe recipe;
      const std::string name(key.name());
      const auto companion = Companions().find(name);
      if (companion != Companions().end()) {
        ASSERT_THAT(SetRecipeKey(companion->second.first, companion->second.second, "test", recipe),
                    IsOk());
      }
      const std::string value = std::isinf(end) ? "1e30"
                                : end == std::floor(end) && std::abs(end) < 1e19
                                    ? fmt::format("{:.0f}", end)
                                    : fmt::format("{}", end);
      ASSERT_THAT(SetRecipeKey(name, value, "test", recipe), IsOk()) << name << " " << value;
      EXPECT_THAT(Take(recipe), IsOk()) << name << " " << value;
    }
  }
}

}  // namespace
}  // namespace facegate
