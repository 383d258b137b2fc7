#include "trainer/ring/class_order.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace facegate {
namespace {

using Pictures = std::vector<std::vector<double>>;

Pictures MeanPictures(const DigitSet& digits, size_t classes) {
  const size_t pixels = digits.rows * digits.columns;
  Pictures means(classes, std::vector<double>(pixels));
  std::vector<double> counts(classes);
  for (size_t i = 0; i < digits.size(); ++i) {
    if (digits.labels[i] >= classes) continue;
    counts[digits.labels[i]] += 1.0;
    std::vector<double>& mean = means[digits.labels[i]];
    for (size_t p = 0; p < pixels; ++p) {
      mean[p] += static_cast<unsigned char>(digits.pixels[i * pixels + p]);
    }
  }
  for (size_t label = 0; label < classes; ++label) {
    for (double& value : means[label]) value /= std::max(1.0, counts[label]);
  }
  return means;
}

double Distance(const std::vector<double>& a, const std::vector<double>& b) {
  double squares = 0.0;
  for (size_t p = 0; p < a.size(); ++p) squares += (a[p] - b[p]) * (a[p] - b[p]);
  return std::sqrt(squares);
}

}  // namespace

std::vector<size_t> OrderByLikeness(const DigitSet& digits, size_t classes) {
  const Pictures means = MeanPictures(digits, classes);
  std::vector<size_t> tour(classes);
  std::iota(tour.begin(), tour.end(), size_t{0});
  const auto leg = [&](size_t from, size_t to) {
    return Distance(means[tour[from % classes]], means[tour[to % classes]]);
  };
  // Turns parts of the tour round while that makes it shorter (Croes, 1958).
  constexpr double kShorter = 1e-9;
  for (bool shorter = true; shorter;) {
    shorter = false;
    for (size_t i = 0; i + 2 < classes; ++i) {
      for (size_t j = i + 2; j < classes; ++j) {
        if (leg(i, j) + leg(i + 1, j + 1) + kShorter >= leg(i, i + 1) + leg(j, j + 1)) continue;
        std::reverse(tour.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                     tour.begin() + static_cast<std::ptrdiff_t>(j) + 1);
        shorter = true;
      }
    }
  }
  return tour;
}

}  // namespace facegate
