#include "trainer/photos/dense_labels.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace facegate {
namespace {

std::optional<int64_t> NumberOf(const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <typename T>
std::vector<T> SortedOnce(std::span<const T> values) {
  std::vector<T> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

}  // namespace

DenseLabels DenseLabelsOf(std::span<const std::string> names) {
  DenseLabels dense{.classes = SortedOnce(names), .labels = {}};
  const bool numbers =
      std::all_of(dense.classes.begin(), dense.classes.end(),
                  [](const std::string& one) { return NumberOf(one).has_value(); });
  if (numbers) {
    std::sort(dense.classes.begin(), dense.classes.end(),
              [](const std::string& a, const std::string& b) {
                return std::pair(*NumberOf(a), a) < std::pair(*NumberOf(b), b);
              });
  }
  std::map<std::string_view, uint32_t> places;
  for (size_t i = 0; i < dense.classes.size(); ++i) {
    places.emplace(dense.classes[i], static_cast<uint32_t>(i));
  }
  dense.labels.reserve(names.size());
  for (const std::string& name : names) dense.labels.push_back(places.at(name));
  return dense;
}

DenseLabels DenseLabelsOf(std::span<const int64_t> numbers) {
  const std::vector<int64_t> sorted = SortedOnce(numbers);
  DenseLabels dense;
  dense.classes.reserve(sorted.size());
  for (const int64_t number : sorted) dense.classes.push_back(std::to_string(number));
  dense.labels.reserve(numbers.size());
  for (const int64_t number : numbers) {
    const auto place = std::lower_bound(sorted.begin(), sorted.end(), number);
    dense.labels.push_back(static_cast<uint32_t>(place - sorted.begin()));
  }
  return dense;
}

}  // namespace facegate
