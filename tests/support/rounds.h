#pragma once

#include <cstdlib>
#include <string_view>

namespace facegate {

// True in deploy/soak.sh, which sets FACEGATE_SOAK: what takes long may take long.
inline bool Soaking() {
  const char* value = std::getenv("FACEGATE_SOAK");
  return value != nullptr && *value != '\0' && std::string_view(value) != "0";
}

// Says how often a test repeats what is found by repetition alone: `usual` times in every run,
// `soak` times in deploy/soak.sh.
inline int Rounds(int usual, int soak) { return Soaking() ? soak : usual; }

}  // namespace facegate
