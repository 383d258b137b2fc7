#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>

namespace facegate::cli {

// Check the value of an option: a number within the bounds, which count as within. "nan" is no
// number.
CLI::Validator NumberBetween(double low, double high);
CLI::Validator WholeNumberBetween(int64_t low, int64_t high);

}  // namespace facegate::cli
