#include "face/base/version.h"

namespace facegate {

const char* Version() { return FACEGATE_VERSION; }

}  // namespace facegate
