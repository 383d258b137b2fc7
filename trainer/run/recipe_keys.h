#pragma once

#include <string>
#include <string_view>

#include "face/base/key_table.h"
#include "trainer/run/recipe.h"

namespace facegate {

// Lists all keys of a recipe, "section.key", in the order of the YAML file, for the values of
// `recipe`.
KeyTable RecipeKeys(Recipe& recipe);

// kBf16Key is another name for kPrecisionKey, with a truth value.
inline constexpr std::string_view kPrecisionKey = "network.precision";
inline constexpr std::string_view kBf16Key = "network.bf16";
inline std::string PrecisionWithBf16(bool on) { return on ? "bf16" : "fp32"; }

// The value of checkpoint.best_by that needs no evaluation set.
inline constexpr char kBestByLoss[] = "loss";
inline constexpr char kBestByValidation[] = "validation";

}  // namespace facegate
