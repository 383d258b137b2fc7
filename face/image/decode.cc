#include "face/image/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <opencv2/imgcodecs.hpp>

#include "face/base/catch.h"
#include "face/image/jpeg_pixels.h"
#include "face/image/orientation.h"
#include "face/image/pnm.h"
#include "face/image/webp_pixels.h"

namespace facegate {
namespace {

Status CheckSize(const ImageHeader& header, const DecodeLimits& limits) {
  const uint64_t pixels =
      static_cast<uint64_t>(header.width) * static_cast<uint64_t>(header.height);
  if (pixels > limits.max_pixels) {
    return Refuse(Reason::kImageTooLarge,
                  fmt::format("image is {}x{}, that is {} pixels, limit is {}", header.width,
                              header.height, pixels, limits.max_pixels));
  }
  if (header.width > limits.max_side || header.height > limits.max_side) {
    return Refuse(Reason::kImageTooLarge,
                  fmt::format("image is {}x{} pixels, limit of a side is {}", header.width,
                              header.height, limits.max_side));
  }
  return OkStatus();
}

uint64_t BytesToDecode(const ImageHeader& header) {
  const uint64_t pixels =
      static_cast<uint64_t>(header.width) * static_cast<uint64_t>(header.height);
  return pixels * (header.orientation == 1 ? 3 : 6);
}

// For formats that OpenCV knows by a signature which the header's reader has matched: anything else
// could reach a decoder that nobody meant, some (DICOM, GDAL) by way of a temporary file.
StatusOr<cv::Mat> DecodeByOpenCv(std::string_view encoded, const ImageHeader& header) {
  // imdecode reads only; its interface has no view of constant bytes.
  const cv::Mat bytes(1, static_cast<int>(encoded.size()), CV_8UC1,
                      const_cast<char*>(encoded.data()));
  cv::Mat bgr;
  try {
    bgr = cv::imdecode(bytes, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception& e) {
    // Out of memory is not the picture's fault.
    if (e.code == cv::Error::StsNoMem) throw std::bad_alloc();
  }
  if (bgr.cols != header.width || bgr.rows != header.height || bgr.type() != CV_8UC3) {
    return Refuse(Reason::kImageUndecodable,
                  fmt::format("{} of {}x{} pixels does not decode whole", Name(header.format),
                              header.width, header.height));
  }
  return bgr;
}

StatusOr<cv::Mat> DecodePixels(std::string_view encoded, const ImageHeader& header) {
  switch (header.format) {
    case ImageFormat::kJpeg:
      return DecodeJpegPixels(encoded, header);
    case ImageFormat::kPgm:
      return DecodePnm(encoded);
    case ImageFormat::kWebp:
      return DecodeWebpPixels(encoded, header);
    case ImageFormat::kPng:
    case ImageFormat::kBmp:
      return DecodeByOpenCv(encoded, header);
    default:
      return Internal(fmt::format("there is no decoder for {}", NameWithArticle(header.format)));
  }
}

}  // namespace

StatusOr<Image> DecodeImage(std::string_view encoded, const DecodeLimits& limits,
                            const DecodeControl& control) {
  // A cv::Mat counts bytes in an int.
  const uint64_t max_bytes = std::min<uint64_t>(limits.max_bytes, INT32_MAX);
  if (encoded.size() > max_bytes) {
    return Refuse(Reason::kImageTooLarge,
                  fmt::format("image has {} bytes, limit is {}", encoded.size(), max_bytes));
  }
  FACEGATE_ASSIGN_OR_RETURN(const ImageHeader header, ParseImageHeader(encoded));
  FACEGATE_RETURN_IF_ERROR(CheckSize(header, limits));
  if (control.reserve) FACEGATE_RETURN_IF_ERROR(control.reserve(BytesToDecode(header)));
  return CatchToStatus("decoding an image", [&]() -> StatusOr<Image> {
    FACEGATE_RETURN_IF_ERROR(Ask(control.stop));
    FACEGATE_ASSIGN_OR_RETURN(const cv::Mat stored, DecodePixels(encoded, header));
    FACEGATE_RETURN_IF_ERROR(Ask(control.stop));
    return Image{TurnUpright(stored, header.orientation)};
  });
}

}  // namespace facegate
