#pragma once

#include "face/base/key_table.h"
#include "trainer/run/recipe.h"

namespace facegate {

// Lists all keys of a recipe, "section.key", in the order of the YAML file, for the values of
// `recipe`.
KeyTable RecipeKeys(Recipe& recipe);

}  // namespace facegate
