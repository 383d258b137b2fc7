#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "face/base/number_range.h"
#include "trainer/run/recipe.h"

// The keys of a recipe: one table, from which reading, writing and the help follow.
namespace facegate {

using RecipeField = std::variant<std::string*, double*, std::optional<double>*, int*, int64_t*,
                                 uint64_t*, bool*, std::vector<std::string>*, std::vector<double>*>;

using RecipeChoices = const std::vector<std::string>& (*)();

// One key: "section.name".
struct RecipeKey {
  std::string_view name;
  RecipeField (*field)(Recipe&);
  NumberRange range;      // of numbers
  RecipeChoices choices;  // null: any text
  std::string_view sentence;
};

const std::vector<RecipeKey>& RecipeKeys();

}  // namespace facegate
