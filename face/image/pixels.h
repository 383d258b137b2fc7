#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace facegate {

// PixelView reads pixels that somebody else owns: `height` rows of `width` pixels, each of
// `channels` bytes (1: grey, 3: BGR, 4: BGRA), and `stride` bytes from one row to the next.
struct PixelView {
  const uint8_t* first = nullptr;
  int width = 0;
  int height = 0;
  int channels = 3;
  size_t stride = 0;

  const uint8_t* row(int y) const { return first + static_cast<size_t>(y) * stride; }
};

// PixelRows is the same for pixels that are to be written.
struct PixelRows {
  uint8_t* first = nullptr;
  int width = 0;
  int height = 0;
  int channels = 3;
  size_t stride = 0;

  uint8_t* row(int y) const { return first + static_cast<size_t>(y) * stride; }
  operator PixelView() const { return {first, width, height, channels, stride}; }
};

// Pixels owns a picture, its rows one behind the other. Those of a fresh one hold anything.
class Pixels {
 public:
  Pixels() = default;
  Pixels(int width, int height, int channels = 3)
      : bytes_(std::make_unique_for_overwrite<uint8_t[]>(static_cast<size_t>(width) *
                                                         static_cast<size_t>(height) *
                                                         static_cast<size_t>(channels))),
        rows_{bytes_.get(), width, height, channels,
              static_cast<size_t>(width) * static_cast<size_t>(channels)} {}

  bool empty() const { return bytes_ == nullptr; }
  int width() const { return rows_.width; }
  int height() const { return rows_.height; }
  const PixelRows& rows() { return rows_; }
  PixelView view() const { return rows_; }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
  PixelRows rows_;
};

}  // namespace facegate
