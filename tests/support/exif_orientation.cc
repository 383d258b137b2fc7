#include "tests/support/exif_orientation.h"

#include <zlib.h>

#include <cstdint>

namespace facegate {
namespace {

// A big-endian TIFF header and one directory with one entry: tag, type SHORT, count 1, value.
std::string TiffBlock(int orientation) {
  std::string block("MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", 19);
  block.push_back(static_cast<char>(orientation));
  block.append(6, '\0');  // the rest of the value, no next directory
  return block;
}

std::string BigEndian(uint32_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text.push_back(static_cast<char>(value >> (8 * i) & 0xFFU));
  return text;
}

std::string Inserted(std::string_view file, size_t position, const std::string& part) {
  return std::string(file.substr(0, position)) + part + std::string(file.substr(position));
}

}  // namespace

cv::Mat StoredForOrientation(const cv::Mat& upright, int orientation) {
  cv::Mat stored = upright.clone();
  switch (orientation) {
    case 2:
      cv::flip(upright, stored, 1);
      break;
    case 3:
      cv::rotate(upright, stored, cv::ROTATE_180);
      break;
    case 4:
      cv::flip(upright, stored, 0);
      break;
    case 5:
      cv::transpose(upright, stored);
      break;
    case 6:  // turned clockwise to be seen
      cv::rotate(upright, stored, cv::ROTATE_90_COUNTERCLOCKWISE);
      break;
    case 7:
      cv::transpose(upright, stored);
      cv::rotate(stored, stored, cv::ROTATE_180);
      break;
    case 8:
      cv::rotate(upright, stored, cv::ROTATE_90_CLOCKWISE);
      break;
    default:
      break;
  }
  return stored;
}

std::string JpegWithOrientation(std::string_view jpeg, int orientation) {
  const std::string body = std::string("Exif\0\0", 6) + TiffBlock(orientation);
  const auto length = static_cast<uint32_t>(body.size() + 2);  // counts itself
  return Inserted(jpeg, 2, "\xFF\xE1" + BigEndian(length, 2) + body);
}

std::string PngWithOrientation(std::string_view png, int orientation) {
  constexpr size_t kAfterHeader = 8 + 12 + 13;  // signature, and the IHDR chunk with its frame
  const std::string body = "eXIf" + TiffBlock(orientation);
  const auto checksum = static_cast<uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size())));
  const auto length = static_cast<uint32_t>(body.size() - 4);
  return Inserted(png, kAfterHeader, BigEndian(length, 4) + body + BigEndian(checksum, 4));
}

}  // namespace facegate
