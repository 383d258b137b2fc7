#include "trainer/torchscript/script_reader.h"

#include "face/base/module.h"

namespace facegate {

StatusOr<ScriptReader*> OpenScriptReader() {
  FACEGATE_ASSIGN_OR_RETURN(const auto entry, OpenModule("facegate-torchscript"));
  return reinterpret_cast<ScriptReaderEntry>(entry)();
}

}  // namespace facegate
