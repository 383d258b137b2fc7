#pragma once

#include "face/base/status.h"

namespace facegate {

// What an operator asks of a gallery. Thread-safe.
class Upkeep {
 public:
  virtual ~Upkeep() = default;

  // OK while changes can be stored. kStoreFull while the disk is full: the gallery goes on by
  // itself when there is room. kInternal when the disk has failed; unless it is OK again within
  // seconds, the gallery must be opened again. The message is one sentence for the operator.
  virtual Status WriteHealth() const = 0;

  // Rewrites what is stored, so that the bytes of what was deleted are nowhere in it once the
  // gallery is closed. Slow; other calls go on meanwhile.
  virtual Status Compact() = 0;
};

}  // namespace facegate
