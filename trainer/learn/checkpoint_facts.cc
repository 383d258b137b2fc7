#include "trainer/learn/checkpoint_facts.h"

#include <fmt/format.h>

namespace facegate {

StatusOr<int64_t> CountIn(const CheckpointFacts& facts, const std::string& name) {
  const std::optional<int64_t> count = NumberIn<int64_t>(facts, name);
  if (count.has_value() && *count >= 0) return *count;
  return InvalidArgument(fmt::format("the checkpoint does not state its {}", name));
}

Status CheckSameTraining(const std::string& path, const CheckpointFacts& facts,
                         const CheckpointFacts& expected) {
  for (const auto& [name, value] : expected) {
    const std::optional<std::string> found = TextIn(facts, name);
    if (found == value) continue;
    return FailedPrecondition(fmt::format("{} is of another training: its {} is {}, now it is {}",
                                          path, name, found.value_or("not known"), value));
  }
  return OkStatus();
}

}  // namespace facegate
