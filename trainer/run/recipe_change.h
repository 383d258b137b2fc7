#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"

// These tell what another recipe changes of the one that a run was begun with.
namespace facegate {

// One key with another value, both as YAML has them.
struct RecipeChange {
  std::string key;
  std::string before;
  std::string now;
};

// The keys of `asked` that differ from `frozen`, both as RecipeToYaml() writes them; keys that
// `frozen` does not know yet count as in `defaults`.
std::vector<RecipeChange> RecipeChanges(std::string_view frozen, std::string_view asked,
                                        std::string_view defaults);

// OK when a run that has learned something may go on with them: with photos and models that lie
// elsewhere (whether they are the same ones is told by their digests), more epochs, other threads,
// another patience and number of checkpoints, other words for the card. kFailedPrecondition names
// the keys that it may not change.
Status CheckMayChange(const std::string& run, const std::vector<RecipeChange>& changes);

// A sentence on each, with what it means for the result.
std::vector<std::string> DescribeChanges(const std::vector<RecipeChange>& changes);

}  // namespace facegate
