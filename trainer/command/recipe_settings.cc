#include "trainer/command/recipe_settings.h"

#include <fmt/format.h>

namespace facegate {

Status SetFromCommandLine(const std::vector<std::string>& settings, Recipe& recipe) {
  for (const std::string& setting : settings) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      return RefuseField("--set", fmt::format("\"{}\" is not KEY=VALUE", setting));
    }
    const Status status =
        SetRecipeKey(setting.substr(0, equals), setting.substr(equals + 1), setting, recipe);
    if (!status.ok()) return RefuseField("--set", MessageOf(status));
  }
  return OkStatus();
}

}  // namespace facegate
