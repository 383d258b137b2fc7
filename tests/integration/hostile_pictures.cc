// Pictures that must be refused.

#include <fmt/format.h>
#include <zlib.h>

#include <cstdint>
#include <string>
#include <utility>

#include "tests/integration/hostile_row_list.h"
#include "tests/support/synthetic_crop.h"

namespace facegate {
namespace {

using grpc::StatusCode;

// Big-endian, as PNG has it.
std::string Number(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

std::string PngChunk(const std::string& type, const std::string& data) {
  const std::string checked = type + data;
  const auto crc =
      ::crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()));
  return Number(static_cast<uint32_t>(data.size())) + checked + Number(static_cast<uint32_t>(crc));
}

// A PNG whose header claims this size, with hardly any pixels in it.
std::string PngClaiming(uint32_t width, uint32_t height) {
  return std::string("\x89PNG\r\n\x1a\n", 8) +
         PngChunk("IHDR", Number(width) + Number(height) + std::string("\x08\x02\0\0\0", 5)) +
         PngChunk("IDAT", std::string("\x78\x9c\x03\0\0\0\0\x01", 8)) + PngChunk("IEND", "");
}

// Each as an image, where the server has a detector, and as an aligned crop.
void AddPicturesAs(HostileRowList& rows, bool as_image) {
  const std::string kind = as_image ? "image" : "aligned_crop";
  const std::string jpeg = Encode(SyntheticCrop(1), ".jpg");
  const auto add = [&](const std::string& what, const std::string& bytes,
                       ExpectedRefusal expected) {
    v1::EnrollRequest request = rows.Enroll();
    *request.add_samples() = v1::Probe();
    v1::Probe* const probe = request.mutable_samples(1);
    as_image ? probe->set_image(bytes) : probe->set_aligned_crop(bytes);
    expected.field = "samples[1]." + kind;
    rows.Add(kind + ": " + what, FaceMethod("Enroll"), request, std::move(expected));
  };
  const auto undecodable = [](std::string message) {
    return ExpectedRefusal{StatusCode::INVALID_ARGUMENT, "IMAGE_UNDECODABLE", "",
                           std::move(message)};
  };
  const auto too_large = [](std::string message) {
    return ExpectedRefusal{StatusCode::INVALID_ARGUMENT, "IMAGE_TOO_LARGE", "", std::move(message)};
  };
  add("empty", "", undecodable("empty \\(0 bytes\\)"));
  add("half a JPEG", jpeg.substr(0, jpeg.size() / 2), undecodable("JPEG"));
  add("two bytes of a JPEG", jpeg.substr(0, 2), undecodable("JPEG"));
  add("a text file", "name,score\nanna,1\n",
      undecodable("this is a text file, which is not among .*: JPEG, PNG, WebP"));
  add("a PNG of noise", std::string("\x89PNG\r\n\x1a\n", 8) + std::string(500, '\x5a'),
      undecodable("PNG"));
  add("too many bytes", std::string(rows.world().max_image_bytes + 1, 'x'),
      too_large(fmt::format("{} bytes, the limit is {}", rows.world().max_image_bytes + 1,
                            rows.world().max_image_bytes)));
  if (as_image) {
    add("100 megapixels", PngClaiming(10'000, 10'000),
        too_large("10000x10000, which is 100000000 pixels, the limit is 40000000"));
  } else {
    add("100 megapixels", PngClaiming(10'000, 10'000),
        {StatusCode::INVALID_ARGUMENT, "CROP_SIZE", "", "10000x10000.*112x112"});
    const cv::Mat wrong(96, 112, CV_8UC3, cv::Scalar(1, 2, 3));
    add("96 rows", Encode(wrong, ".png"),
        {StatusCode::INVALID_ARGUMENT, "CROP_SIZE", "", "112x96 pixels.*112x112"});
  }
}

void AddFaces(HostileRowList& rows) {
  v1::EnrollRequest request = rows.Enroll();
  request.mutable_samples(0)->set_image(Encode(cv::Mat(300, 400, CV_8UC3, cv::Scalar(9)), ".png"));
  rows.Add("no face", FaceMethod("Enroll"), request,
           {StatusCode::INVALID_ARGUMENT, "NO_FACE", "samples[0].image", "400x300"});
  if (rows.world().two_faces.empty()) return;
  request.mutable_samples(0)->set_image(rows.world().two_faces);
  request.mutable_samples(0)->set_face_selection(v1::FACE_SELECTION_SINGLE);
  rows.Add("two faces for SINGLE", FaceMethod("Enroll"), request,
           {StatusCode::INVALID_ARGUMENT, "MULTIPLE_FACES", "samples[0].image",
            "2 faces found, exactly one"});
}

}  // namespace

void AddPictures(HostileRowList& rows) {
  AddPicturesAs(rows, false);
  if (!rows.world().has_detector) return;
  AddPicturesAs(rows, true);
  AddFaces(rows);
}

}  // namespace facegate
