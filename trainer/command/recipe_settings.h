#pragma once

#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/run/recipe.h"

namespace facegate {

// Sets the keys that --set names, "SECTION.KEY=VALUE" each. kInvalidField of --set for what is none
// such, or no value of the key.
Status SetFromCommandLine(const std::vector<std::string>& settings, Recipe& recipe);

}  // namespace facegate
