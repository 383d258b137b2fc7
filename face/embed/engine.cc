#include "face/embed/engine.h"

#include "face/base/module.h"

namespace facegate {

StatusOr<Engine*> OpenTorchEngine() {
  FACEGATE_ASSIGN_OR_RETURN(const auto entry, OpenModule("facegate-torch"));
  return reinterpret_cast<EngineEntry>(entry)();
}

}  // namespace facegate
