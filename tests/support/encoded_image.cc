#include "tests/support/encoded_image.h"

#include <cmath>
#include <opencv2/imgcodecs.hpp>

#include "face/base/check.h"
#include "face/base/coding.h"

namespace facegate {
namespace {

constexpr std::string_view kPngSignature{"\x89PNG\r\n\x1a\n", 8};

// CRC-32 of PNG (ISO 3309), bit by bit.
uint32_t Crc32(std::string_view bytes) {
  uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
  }
  return ~crc;
}

uint32_t Adler32(std::string_view bytes) {
  uint32_t a = 1;
  uint32_t b = 0;
  for (const char byte : bytes) {
    a = (a + static_cast<uint8_t>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

// A zlib stream of one stored block.
std::string StoredZlib(std::string_view bytes) {
  FACEGATE_CHECK(bytes.size() < 65536);
  const auto size = static_cast<uint16_t>(bytes.size());
  std::string out("\x78\x01\x01", 3);
  AppendLittleEndian<uint16_t>(out, size);
  AppendLittleEndian<uint16_t>(out, static_cast<uint16_t>(~size));
  out.append(bytes);
  AppendBigEndian<uint32_t>(out, Adler32(bytes));
  return out;
}

std::string RiffChunk(std::string_view type, std::string_view body) {
  std::string out(type);
  AppendLittleEndian<uint32_t>(out, static_cast<uint32_t>(body.size()));
  out.append(body);
  if (body.size() % 2 == 1) out.push_back('\0');
  return out;
}

}  // namespace

cv::Mat SmoothPicture(int width, int height) {
  cv::Mat picture(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double u = static_cast<double>(x) / width;
      const double v = static_cast<double>(y) / height;
      picture.at<cv::Vec3b>(y, x) = cv::Vec3b(
          cv::saturate_cast<uint8_t>(40 + 180 * u), cv::saturate_cast<uint8_t>(230 - 150 * v * v),
          cv::saturate_cast<uint8_t>(128 + 100 * std::sin(3 * u + 5 * v)));
    }
  }
  return picture;
}

std::string EncodeImage(const std::string& extension, const cv::Mat& picture,
                        const std::vector<int>& parameters) {
  std::vector<unsigned char> bytes;
  FACEGATE_CHECK(cv::imencode(extension, picture, bytes, parameters));
  return {bytes.begin(), bytes.end()};
}

std::string TiffBlock(int orientation, bool big_endian) {
  std::string out;
  const auto append16 = [&](int value) {
    const auto number = static_cast<uint16_t>(value);
    big_endian ? AppendBigEndian(out, number) : AppendLittleEndian(out, number);
  };
  const auto append32 = [&](uint32_t value) {
    big_endian ? AppendBigEndian(out, value) : AppendLittleEndian(out, value);
  };
  out = big_endian ? "MM" : "II";
  append16(42);
  append32(10);  // the directory begins after two bytes of nothing
  append16(0);
  append16(2);
  // ImageWidth, SHORT, one
  append16(0x0100);
  append16(3);
  append32(1);
  append16(640);
  append16(0);
  // Orientation, SHORT, one
  append16(0x0112);
  append16(3);
  append32(1);
  append16(orientation);
  append16(0);
  append32(0);
  return out;
}

std::string JpegWithExif(std::string_view jpeg, std::string_view tiff) {
  std::string body("Exif\0\0", 6);
  body.append(tiff);
  std::string out(jpeg.substr(0, 2));
  out.append("\xff\xe1");
  AppendBigEndian<uint16_t>(out, static_cast<uint16_t>(body.size() + 2));
  return out.append(body).append(jpeg.substr(2));
}

std::string PngWithExif(std::string_view png, std::string_view tiff) {
  constexpr size_t kAfterHeader = 8 + 25;
  std::string out(png.substr(0, kAfterHeader));
  return out.append(PngChunk("eXIf", tiff)).append(png.substr(kAfterHeader));
}

std::string WebpWithExif(std::string_view webp, std::string_view tiff, cv::Size size) {
  constexpr char kExifFlag = 0x08;
  std::string canvas(4, '\0');
  canvas[0] = kExifFlag;
  for (const int side : {size.width, size.height}) {
    for (int byte = 0; byte < 3; ++byte) {
      canvas.push_back(static_cast<char>((side - 1) >> (8 * byte) & 0xff));
    }
  }
  const std::string chunks = RiffChunk("VP8X", canvas).append(webp.substr(12));
  return RiffChunk("RIFF", std::string("WEBP").append(chunks).append(RiffChunk("EXIF", tiff)));
}

std::string PngChunk(std::string_view type, std::string_view body) {
  const std::string covered = std::string(type).append(body);
  std::string out;
  AppendBigEndian<uint32_t>(out, static_cast<uint32_t>(body.size()));
  out.append(covered);
  AppendBigEndian<uint32_t>(out, Crc32(covered));
  return out;
}

std::string PngHeaderChunk(uint32_t width, uint32_t height, int bit_depth, int colour_type) {
  std::string body;
  AppendBigEndian(body, width);
  AppendBigEndian(body, height);
  body.push_back(static_cast<char>(bit_depth));
  body.push_back(static_cast<char>(colour_type));
  body.append(3, '\0');
  return PngChunk("IHDR", body);
}

std::string PngOfRows(std::string_view header_chunk, std::string_view between,
                      std::string_view rows) {
  std::string out(kPngSignature);
  return out.append(header_chunk)
      .append(between)
      .append(PngChunk("IDAT", StoredZlib(rows)))
      .append(PngChunk("IEND", ""));
}

}  // namespace facegate
