#pragma once

#include <cstdlib>

namespace facegate {

// How often a test repeats what is found by repetition alone: `usual` times in every run, `soak`
// times in deploy/soak.sh, which sets FACEGATE_SOAK.
inline int Rounds(int usual, int soak) {
  return std::getenv("FACEGATE_SOAK") == nullptr ? usual : soak;
}

}  // namespace facegate
