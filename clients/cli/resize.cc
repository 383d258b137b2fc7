#include "clients/cli/resize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace facegate::cli {
namespace {

// A pixel of a row or column is made of these: `weights` of the pixels from `first` on; their sum
// is 1.
struct Mixture {
  int first = 0;
  std::vector<float> weights;
};

std::vector<Mixture> MixturesOf(int from, int to) {
  std::vector<Mixture> mixtures(static_cast<size_t>(to));
  const double step = static_cast<double>(from) / to;
  // As wide as what the pixel covers, or as the way between two neighbours.
  const double width = std::max(step, 1.);
  for (int i = 0; i < to; ++i) {
    const double low = std::clamp((i + 0.5) * step - width / 2, 0., from - width);
    const auto first = static_cast<int>(low);
    const int end = std::min(static_cast<int>(std::ceil(low + width)), from);
    Mixture& mixture = mixtures[static_cast<size_t>(i)];
    mixture.first = first;
    for (int at = first; at < end; ++at) {
      const double covered = std::min(at + 1., low + width) - std::max<double>(at, low);
      mixture.weights.push_back(static_cast<float>(covered / width));
    }
  }
  return mixtures;
}

// Adds `weight` times a row, mixed by `columns`, to `sums`.
void AddRow(const uint8_t* row, const std::vector<Mixture>& columns, float weight,
            std::vector<float>& sums) {
  float* sum = sums.data();
  for (const Mixture& column : columns) {
    const uint8_t* pixel = row + 3 * static_cast<size_t>(column.first);
    float mixed[3] = {};
    for (const float share : column.weights) {
      for (int channel = 0; channel < 3; ++channel) {
        mixed[channel] += share * static_cast<float>(*pixel++);
      }
    }
    for (const float channel : mixed) *sum++ += weight * channel;
  }
}

}  // namespace

Pixels Resized(const PixelView& picture, int width, int height) {
  const std::vector<Mixture> columns = MixturesOf(picture.width, width);
  const std::vector<Mixture> rows = MixturesOf(picture.height, height);
  Pixels resized(width, height);
  std::vector<float> sums(3 * static_cast<size_t>(width));
  for (int y = 0; y < height; ++y) {
    const Mixture& row = rows[static_cast<size_t>(y)];
    std::fill(sums.begin(), sums.end(), 0.F);
    int at = row.first;
    for (const float weight : row.weights) AddRow(picture.row(at++), columns, weight, sums);
    std::transform(sums.begin(), sums.end(), resized.rows().row(y), [](float sum) {
      return static_cast<uint8_t>(std::min(std::lround(sum), 255L));
    });
  }
  return resized;
}

}  // namespace facegate::cli
