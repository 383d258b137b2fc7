#pragma once

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "face/network/rcan.h"
#include "face/network/tensor_list.h"
#include "face/weights/weights.h"
#include "trainer/enlarge/super_resolution_file.h"

namespace facegate {

// A small RCAN that repeats each pixel `scale` times in both directions: its body gives nothing,
// and each channel of a colour passes through the middle of the convolutions. `gains` are what red,
// green and blue are multiplied by.
inline SuperResolutionFile NearestRcan(int64_t scale, double largest_pixel = 1.0,
                                       const std::array<float, 3>& gains = {1.0F, 1.0F, 1.0F}) {
  SuperResolutionFile file{
      .shape = {.groups = 1, .blocks = 1, .features = 4, .reduction = 2, .scale = scale},
      .tensors = {},
      .largest_pixel = largest_pixel,
      .facts = {}};
  for (const network::TensorShape& tensor : network::TensorsOf(network::Rcan(file.shape))) {
    const std::vector<int64_t>& shape = tensor.shape;
    std::vector<float> values(static_cast<size_t>(ElementCount(shape).value()), 0.0F);
    const std::string_view name = tensor.name;
    if (name.ends_with(".weight") && !name.starts_with("body")) {
      const int64_t copies = name.starts_with("tail.0") ? shape[0] / shape[1] : 1;
      for (int64_t out = 0; out < shape[0]; ++out) {
        const int64_t in = out / copies;
        if (in >= 3 || in >= shape[1]) continue;
        const float gain = name.starts_with("tail.1") ? gains[static_cast<size_t>(in)] : 1.0F;
        values[static_cast<size_t>((out * shape[1] + in) * 9 + 4)] = gain;
      }
    }
    std::string bytes(values.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    file.tensors[tensor.name] = {.dtype = DType::kF32, .shape = shape, .bytes = std::move(bytes)};
  }
  return file;
}

}  // namespace facegate
