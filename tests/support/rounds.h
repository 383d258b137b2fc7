#pragma once

#include <cstdlib>

namespace facegate {

// True in deploy/soak.sh, which sets FACEGATE_SOAK: what takes long may take long.
inline bool Soaking() { return std::getenv("FACEGATE_SOAK") != nullptr; }

// How often a test repeats what is found by repetition alone: `usual` times in every run, `soak`
// times in deploy/soak.sh.
inline int Rounds(int usual, int soak) { return Soaking() ? soak : usual; }

}  // namespace facegate
