#include "trainer/run/nearest_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace facegate {
namespace {

// The distance of Damerau and Levenshtein, where no letter moves twice.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> table(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) table[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) table[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      table[i][j] = std::min({table[i - 1][j] + 1, table[i][j - 1] + 1, changed});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
      }
    }
  }
  return table[a.size()][b.size()];
}

// How many letters of a name may be wrong.
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

std::string DidYouMean(std::string_view name, const std::vector<std::string>& known) {
  const auto nearest = std::min_element(known.begin(), known.end(),
                                        [&](const std::string& one, const std::string& other) {
                                          return DistanceTo(name, one) < DistanceTo(name, other);
                                        });
  if (nearest == known.end()) return "";
  if (DistanceTo(name, *nearest) == kFar) return "";
  return fmt::format("; did you mean \"{}\"?", *nearest);
}

}  // namespace facegate
