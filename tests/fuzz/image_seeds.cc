// Seeds for decode_fuzz.cc and exif_fuzz.cc: a small made-up picture in every format that is
// decoded, and what cameras and damage do to it.
#include <fmt/format.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "face/base/coding.h"
#include "tests/fuzz/seeds.h"
#include "tests/support/encoded_image.h"

namespace facegate {
namespace {

constexpr int kWidth = 24;
constexpr int kHeight = 17;

cv::Mat Colour() { return SmoothPicture(kWidth, kHeight); }

cv::Mat Grey() {
  cv::Mat grey;
  cv::cvtColor(Colour(), grey, cv::COLOR_BGR2GRAY);
  return grey;
}

cv::Mat WithAlpha() {
  cv::Mat picture;
  cv::cvtColor(Colour(), picture, cv::COLOR_BGR2BGRA);
  picture.row(3).setTo(cv::Scalar(9, 8, 7, 0));
  return picture;
}

cv::Mat SixteenBits(const cv::Mat& picture) {
  cv::Mat wide;
  picture.convertTo(wide, CV_16U, 257);
  return wide;
}

std::string Truncated(const std::string& file) { return file.substr(0, file.size() * 2 / 3); }

std::string Flipped(std::string file, size_t at) {
  file.at(at) = static_cast<char>(file.at(at) ^ 0x10);
  return file;
}

void AddJpegs(std::vector<Seed>& seeds) {
  const std::string plain = EncodeImage(".jpg", Colour(), {cv::IMWRITE_JPEG_QUALITY, 80});
  seeds.push_back({"jpeg", plain});
  seeds.push_back({"jpeg_grey", EncodeImage(".jpg", Grey())});
  seeds.push_back(
      {"jpeg_progressive", EncodeImage(".jpg", Colour(), {cv::IMWRITE_JPEG_PROGRESSIVE, 1})});
  seeds.push_back(
      {"jpeg_restarts", EncodeImage(".jpg", Colour(), {cv::IMWRITE_JPEG_RST_INTERVAL, 1})});
  seeds.push_back({"jpeg_turned_le", JpegWithExif(plain, TiffBlock(6, false))});
  seeds.push_back({"jpeg_turned_be", JpegWithExif(plain, TiffBlock(8, true))});
  seeds.push_back({"jpeg_truncated", Truncated(plain)});
  seeds.push_back({"jpeg_endless", plain.substr(0, plain.size() - 2)});
  seeds.push_back({"jpeg_endless_then_another", plain.substr(0, plain.size() - 2) + plain});
  seeds.push_back({"jpeg_damaged", Flipped(plain, plain.size() - 40)});
  seeds.push_back({"jpeg_second_picture", plain + plain});
}

// Two bits a pixel, with a palette of three colours.
std::string PalettePng(std::string_view between) {
  const std::string palette =
      PngChunk("PLTE", std::string_view("\x10\x20\x30\x90\x80\x70\0\xff\0", 9));
  std::string rows;
  for (int y = 0; y < 4; ++y) rows.append(std::string_view("\0\x18\x64", 3));
  return PngOfRows(PngHeaderChunk(8, 4, 2, 3), palette + std::string(between), rows);
}

void AddPngs(std::vector<Seed>& seeds) {
  const std::string plain = EncodeImage(".png", Colour());
  seeds.push_back({"png", plain});
  seeds.push_back({"png_grey", EncodeImage(".png", Grey())});
  seeds.push_back({"png_alpha", EncodeImage(".png", WithAlpha())});
  seeds.push_back({"png_16_bits", EncodeImage(".png", SixteenBits(Colour()))});
  seeds.push_back({"png_palette", PalettePng("")});
  seeds.push_back(
      {"png_palette_alpha", PalettePng(PngChunk("tRNS", std::string_view("\0\x80", 2)))});
  seeds.push_back({"png_bilevel", EncodeImage(".png", Grey(), {cv::IMWRITE_PNG_BILEVEL, 1})});
  seeds.push_back({"png_turned_le", PngWithExif(plain, TiffBlock(5, false))});
  seeds.push_back({"png_turned_be", PngWithExif(plain, TiffBlock(3, true))});
  seeds.push_back({"png_truncated", Truncated(plain)});
  seeds.push_back({"png_damaged", Flipped(plain, plain.size() / 2)});
  seeds.push_back(
      {"png_few_rows", PngOfRows(PngHeaderChunk(8, 900, 8, 0), "", std::string(90, '\0'))});
  seeds.push_back({"png_huge", PngOfRows(PngHeaderChunk(1 << 30, 1 << 30, 8, 2), "", "")});
}

void AddWebps(std::vector<Seed>& seeds) {
  const std::string lossy = EncodeImage(".webp", Colour(), {cv::IMWRITE_WEBP_QUALITY, 80});
  const std::string lossless = EncodeImage(".webp", Colour(), {cv::IMWRITE_WEBP_QUALITY, 101});
  seeds.push_back({"webp", lossy});
  seeds.push_back({"webp_lossless", lossless});
  seeds.push_back(
      {"webp_alpha", EncodeImage(".webp", WithAlpha(), {cv::IMWRITE_WEBP_QUALITY, 80})});
  const cv::Size size(kWidth, kHeight);
  seeds.push_back({"webp_turned_le", WebpWithExif(lossy, TiffBlock(7, false), size)});
  seeds.push_back({"webp_turned_be", WebpWithExif(lossless, TiffBlock(2, true), size)});
  seeds.push_back({"webp_other_canvas", WebpWithExif(lossy, TiffBlock(1, true), {900, 900})});
  seeds.push_back({"webp_truncated", Truncated(lossy)});
}

// A Windows bitmap of `bits` a pixel with a palette of two colours where it has one.
std::string Bitmap(int width, int height, uint16_t bits, uint32_t compression) {
  const uint32_t palette = bits <= 8 ? 2 : 0;
  const uint32_t masks = compression == 3 ? 3 : 0;
  const uint32_t offset = 14 + 40 + 4 * (palette + masks);
  const auto row = (static_cast<uint32_t>(width) * bits + 31) / 32 * 4;
  const auto pixels = row * static_cast<uint32_t>(std::abs(height));
  std::string file = "BM";
  for (const uint32_t value : {offset + pixels, uint32_t{0}, offset, uint32_t{40},
                               static_cast<uint32_t>(width), static_cast<uint32_t>(height)}) {
    AppendLittleEndian(file, value);
  }
  AppendLittleEndian<uint16_t>(file, 1);
  AppendLittleEndian(file, bits);
  for (const uint32_t value :
       {compression, pixels, uint32_t{0}, uint32_t{0}, palette, uint32_t{0}}) {
    AppendLittleEndian(file, value);
  }
  if (masks != 0) {
    for (const uint32_t mask : {0xff0000U, 0xff00U, 0xffU}) AppendLittleEndian(file, mask);
  }
  for (uint32_t i = 0; i < palette; ++i) AppendLittleEndian(file, 0x102030 * (i + 1));
  for (uint32_t i = 0; i < pixels; ++i) file.push_back(static_cast<char>(i * 37));
  return file;
}

void AddBitmaps(std::vector<Seed>& seeds) {
  seeds.push_back({"bmp", EncodeImage(".bmp", Colour())});
  seeds.push_back({"bmp_grey", EncodeImage(".bmp", Grey())});
  for (const int bits : {1, 4, 8, 16, 24, 32}) {
    seeds.push_back(
        {fmt::format("bmp_{}_bits", bits), Bitmap(9, 5, static_cast<uint16_t>(bits), 0)});
  }
  seeds.push_back({"bmp_masks", Bitmap(9, 5, 32, 3)});
  seeds.push_back({"bmp_top_down", Bitmap(9, -5, 24, 0)});
  seeds.push_back({"bmp_run_lengths", Bitmap(9, 5, 8, 1)});
  seeds.push_back({"bmp_truncated", Truncated(Bitmap(9, 5, 24, 0))});
}

void AddNetpbm(std::vector<Seed>& seeds) {
  seeds.push_back({"pgm_text", "P2\n# made up\n4 2\n15\n0 1 2 3\n12 13 14 15\n"});
  seeds.push_back({"ppm_text", "P3\n2 1 255\n255 0 0 0 128 255\n"});
  seeds.push_back({"pgm", std::string("P5 3 2 255\n").append("\0\x40\x80\xc0\xf0\xff", 6)});
  seeds.push_back({"pgm_16_bits",
                   std::string("P5\n2 2\n4095\n").append("\x01\x00\x0f\xff\x00\x02\x08\x00", 8)});
  seeds.push_back({"ppm", std::string("P6 2 2 255\n").append(12, 'x')});
  seeds.push_back({"pgm_short", "P5 30 20 255\nabc"});
  seeds.push_back({"pgm_huge", "P5 99999999 99999999 255\nabc"});
  seeds.push_back({"pgm_bad_number", "P2 2 1 255 7 300000000000"});
}

// A directory whose entries lie behind an offset of the caller's choice.
std::string TiffWithOffset(uint32_t offset) {
  std::string block = TiffBlock(6, false).substr(0, 4);
  AppendLittleEndian(block, offset);
  return block + TiffBlock(6, false).substr(8);
}

}  // namespace

std::vector<Seed> DecodeSeeds() {
  std::vector<Seed> seeds = {{"empty", ""}};
  AddJpegs(seeds);
  AddPngs(seeds);
  AddWebps(seeds);
  AddBitmaps(seeds);
  AddNetpbm(seeds);
  return seeds;
}

std::vector<Seed> ExifSeeds() {
  std::vector<Seed> seeds = {{"empty", ""}};
  for (const bool big_endian : {false, true}) {
    const std::string end = big_endian ? "be" : "le";
    const std::string block = TiffBlock(6, big_endian);
    seeds.push_back({"turned_" + end, block});
    seeds.push_back({"marked_" + end, std::string("Exif\0\0", 6) + block});
    seeds.push_back({"out_of_range_" + end, TiffBlock(9, big_endian)});
    seeds.push_back({"truncated_" + end, Truncated(block)});
    seeds.push_back({"damaged_" + end, Flipped(block, 13)});
  }
  seeds.push_back({"far_offset", TiffWithOffset(0xfffffff0)});
  seeds.push_back({"offset_to_header", TiffWithOffset(0)});
  return seeds;
}

}  // namespace facegate
