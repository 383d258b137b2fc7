#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

#include "face/base/status.h"
#include "trainer/learn/checkpoint.h"

// How the facts of a checkpoint are read back.
namespace facegate {

// The text that a checkpoint calls `name`; nothing where there is none.
inline std::optional<std::string> TextIn(const CheckpointFacts& facts, const std::string& name) {
  const auto found = facts.find(name);
  if (found == facts.end()) return std::nullopt;
  return found->second;
}

// The same as a number; nothing, too, where it is none or more than one.
template <typename Number>
std::optional<Number> NumberIn(const CheckpointFacts& facts, const std::string& name) {
  const std::optional<std::string> text = TextIn(facts, name);
  if (!text.has_value()) return std::nullopt;
  Number number{};
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// A number of things that were done. kInvalidArgument where the checkpoint does not state it.
StatusOr<int64_t> CountIn(const CheckpointFacts& facts, const std::string& name);

// kFailedPrecondition, naming the first that differs, unless the `facts` of the checkpoint at
// `path` hold all that is `expected`: it is of another training then.
Status CheckSameTraining(const std::string& path, const CheckpointFacts& facts,
                         const CheckpointFacts& expected);

}  // namespace facegate
