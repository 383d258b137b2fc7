#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "face/base/status.h"
#include "face/image/align.h"
#include "face/image/image.h"

namespace facegate {

// The channels of a network's input: three in this order, or one in grey.
enum class ColourOrder { kRgb, kBgr, kGrey };

// "rgb", "bgr" and "grey". Stored in cards: do not change them.
std::string_view ColourOrderName(ColourOrder order);
std::optional<ColourOrder> ColourOrderFromName(std::string_view name);

// Describes how an aligned crop becomes the network's input. Everything that changes an embedding
// is here, and all of it enters the preprocessing digest (face/weights/model_card.h).
struct Preprocessing {
  int input_width = 112;   // pixels
  int input_height = 112;  // pixels
  ColourOrder colour_order = ColourOrder::kRgb;
  // value = (pixel - mean) * scale for each channel, in colour_order; pixel in 0..255. A grey pixel
  // is 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601), rounded, and takes the first of each.
  std::array<float, 3> mean = {127.5f, 127.5f, 127.5f};
  std::array<float, 3> scale = {1 / 127.5f, 1 / 127.5f, 1 / 127.5f};
  AlignmentTemplate alignment = AlignmentTemplate::kArcFace112;
  // A crop whose size differs from the input's is scaled to fit (bicubic, aspect kept) and centred
  // on this grey; without letterbox the sizes must be equal.
  bool letterbox = false;
  uint8_t letterbox_grey = 128;
  // The embedding is the normalised sum of the raw embeddings of the crop and of its mirror image.
  bool mirror_average = false;

  bool operator==(const Preprocessing&) const = default;
  int channels() const { return colour_order == ColourOrder::kGrey ? 1 : 3; }
  // Floats of one input: channels · height · width.
  size_t input_floats() const {
    return static_cast<size_t>(channels()) * static_cast<size_t>(input_width) *
           static_cast<size_t>(input_height);
  }
};

// A picture whose three channels are the grey pixel; `bgr` is 8-bit. Throws what OpenCV throws.
cv::Mat InGrey(const cv::Mat& bgr);

// The crop's pixels (B, G, R) in the size of the network's input, letterboxed where that is
// configured; where the network takes grey, all three are the grey pixel. They may be those of the
// crop itself. kCropSize when the crop is not of exactly the
// size of the alignment template. Thread-safe.
StatusOr<cv::Mat> InputPixels(const AlignedFace& face, const Preprocessing& preprocessing);

// Writes the network's input of `face` to `out` (input_floats() long, planar C·H·W). `mirrored`
// flips left and right. kCropSize when the crop is not of exactly the size of the alignment
// template. Thread-safe.
Status WriteNetworkInput(const AlignedFace& face, const Preprocessing& preprocessing, bool mirrored,
                         std::span<float> out);

}  // namespace facegate
