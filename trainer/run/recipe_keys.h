#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "trainer/run/recipe.h"

// The keys of a recipe: one table, from which reading, writing and the help follow.
namespace facegate {

using RecipeField = std::variant<std::string*, double*, int*, int64_t*, uint64_t*, bool*,
                                 std::vector<std::string>*, std::vector<double>*>;

// Of numbers; none where max is not above min.
struct RecipeRange {
  double min = 0.0;
  double max = 0.0;
};

using RecipeChoices = const std::vector<std::string>& (*)();

// One key: "section.name".
struct RecipeKey {
  std::string_view name;
  RecipeField (*field)(Recipe&);
  RecipeRange range;
  RecipeChoices choices;  // null: any text
  std::string_view sentence;
};

const std::vector<RecipeKey>& RecipeKeys();

}  // namespace facegate
