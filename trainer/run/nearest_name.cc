#include "trainer/run/nearest_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "face/base/did_you_mean.h"

namespace facegate {
namespace {

// Returns how many letters of a name may be wrong.
size_t MostWrong(std::string_view name) { return std::max<size_t>(1, name.size() / 3); }

constexpr size_t kFar = 1000;

size_t DistanceTo(std::string_view name, std::string_view known) {
  const size_t whole = EditDistance(name, known);
  if (whole <= MostWrong(name)) return whole;
  const size_t dot = known.find('.');
  if (dot == std::string_view::npos) return kFar;
  // The section was left out, or is another one.
  const size_t own_dot = name.find('.');
  const std::string_view own = own_dot == std::string_view::npos ? name : name.substr(own_dot + 1);
  const size_t bare = EditDistance(own, known.substr(dot + 1));
  return bare <= MostWrong(own) / 2 ? 1 + bare : kFar;
}

}  // namespace

std::string MeantKey(std::string_view name, const std::vector<std::string>& known) {
  const auto nearest = std::min_element(known.begin(), known.end(),
                                        [&](const std::string& one, const std::string& other) {
                                          return DistanceTo(name, one) < DistanceTo(name, other);
                                        });
  if (nearest == known.end()) return "";
  if (DistanceTo(name, *nearest) == kFar) return "";
  return fmt::format("; did you mean \"{}\"?", *nearest);
}

}  // namespace facegate
