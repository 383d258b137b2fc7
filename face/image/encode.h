#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "face/image/image_format.h"
#include "face/image/pixels.h"

namespace facegate {

// The format that a picture is written in under this name, by how it ends: .png; .jpg, .jpeg, .jpe;
// .webp; .bmp, .dib; in small letters or large. Nothing for other names.
std::optional<ImageFormat> FormatOfFileName(std::string_view path);

// Encodes a BGR picture as JPEG (of quality 95), PNG, WebP (lossless) or BMP; JPEG and PNG take
// grey ones, too. The answer is a whole file or an error: kInvalidArgument where the picture is
// empty, has other channels, or is larger than 2 GiB or than the format can be; kResourceExhausted
// where memory ran out; kInternal where the library fails. Thread-safe.
StatusOr<std::string> EncodePixels(const PixelView& picture, ImageFormat format);

// Encodes a grey or BGR picture with libjpeg's defaults (half the colours each way). `quality` is 1
// to 100. Errors are those of EncodePixels().
StatusOr<std::string> EncodeJpeg(const PixelView& picture, int quality);

// Encodes a grey or BGR picture, soon rather than small. Errors are those of EncodePixels().
StatusOr<std::string> EncodePng(const PixelView& picture);

}  // namespace facegate
