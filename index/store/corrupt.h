#pragma once

#include <string_view>

#include "face/base/status.h"

namespace facegate {

// The refusal of stored bytes that do not check; `what` says which ones, in numbers.
inline Status Corrupt(std::string_view what) { return Refuse(Reason::kStoreCorrupt, what); }

}  // namespace facegate
