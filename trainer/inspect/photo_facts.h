#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "face/image/image_format.h"

namespace facegate {

// A hash that stays when a photo is made smaller, re-encoded or lightened: bit i says whether
// brightness rises at the i-th place of a grid. `coarse` has the 8 x 8 steps to the right (dHash,
// N. Krawetz, 2013); `fine` has 16 x 16 steps to the right and is what decides.
struct PictureHash {
  uint64_t coarse = 0;
  std::array<uint64_t, 4> fine{};
};

// Counts in how many of 64 (256) places two photos differ.
int CoarseDistance(const PictureHash& a, const PictureHash& b);
int FineDistance(const PictureHash& a, const PictureHash& b);

// The facts that inspection keeps of a photo; about 200 bytes.
struct PhotoFacts {
  ImageFormat format = ImageFormat::kJpeg;
  int width = 0;  // pixels, upright
  int height = 0;
  uint64_t bytes = 0;
  std::array<uint8_t, 32> sha256{};  // of the file's bytes
  PictureHash hash{};
  // A picture with so little contrast that its hash says nothing.
  bool flat = false;
  bool grey = false;               // no colours, in whatever format
  std::array<double, 3> mean{};    // of red, green and blue, 0 to 255
  std::array<double, 3> square{};  // mean of the squares
  // True when blue is clearly stronger than red in the middle of the picture, as no skin is.
  bool blue_skin = false;
};

// kInvalidArgument with the reason when the photo cannot be read.
StatusOr<PhotoFacts> FactsOfPhoto(std::string_view encoded);

}  // namespace facegate
