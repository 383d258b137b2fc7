#include "clients/cli/number_range.h"

#include <fmt/format.h>

#include <charconv>
#include <string>
#include <system_error>

namespace facegate::cli {
namespace {

template <typename Number>
CLI::Validator Between(Number low, Number high, const char* kind) {
  const std::string bounds = fmt::format("{} between {} and {}", kind, low, high);
  return CLI::Validator(
      [low, high, bounds](const std::string& text) {
        Number value = 0;
        const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool whole = failure == std::errc() && end == text.data() + text.size();
        const bool good = whole && value >= low && value <= high;
        return good ? std::string() : fmt::format("'{}' is not {}", text, bounds);
      },
      fmt::format("{} to {}", low, high));
}

}  // namespace

CLI::Validator NumberBetween(double low, double high) { return Between(low, high, "a number"); }

CLI::Validator WholeNumberBetween(int64_t low, int64_t high) {
  return Between(low, high, "a whole number");
}

}  // namespace facegate::cli
