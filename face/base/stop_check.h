#pragma once

#include <functional>

#include "face/base/status.h"

namespace facegate {

// Asked by long work whether its result is still wanted: OK, or the Status to end with at once.
// Work that is given one asks at least every 5 ms, on the thread that works; asking is cheap (below
// a microsecond). Empty: the result is wanted whatever happens.
using StopCheck = std::function<Status()>;

// OK when `check` is empty.
inline Status Ask(const StopCheck& check) { return check ? check() : OkStatus(); }

}  // namespace facegate
