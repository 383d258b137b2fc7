#pragma once

namespace facegate {

// The version of this build of facegate, such as "0.1.0".
const char* Version();

}  // namespace facegate
