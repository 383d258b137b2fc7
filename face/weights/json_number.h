#pragma once

#include <string>

namespace facegate {

// The shortest decimal text that reads back as the same number, as the C++ standard defines
// std::to_chars without a format: equal with every library. Finite numbers only; valid JSON.
std::string JsonNumber(float value);
std::string JsonNumber(double value);

}  // namespace facegate
