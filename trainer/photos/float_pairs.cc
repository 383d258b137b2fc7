#include "trainer/photos/float_pairs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <utility>

#include "face/base/file.h"
#include "trainer/photos/npy_file.h"

namespace facegate {
namespace {

constexpr size_t kSide = 112;
constexpr uint64_t kMaxListBytes = 64 << 20;
// What rounding may add to the values of black and white.
constexpr float kMost = 1.001F;

class FloatPictures final : public Dataset {
 public:
  FloatPictures(std::string set, size_t pictures, ReadFloatRow read_row)
      : set_(std::move(set)), pictures_(pictures), read_row_(std::move(read_row)) {}

  size_t size() const override { return pictures_; }
  size_t classes() const override { return 0; }
  uint32_t label(size_t /*i*/) const override { return kUnlabelled; }
  std::string name(size_t i) const override { return fmt::format("{} picture {}", set_, i); }
  StatusOr<cv::Mat> Load(size_t i) const override {
    FACEGATE_ASSIGN_OR_RETURN(const std::string row, read_row_(i));
    StatusOr<cv::Mat> picture = PictureOfFloats(row);
    return picture.ok() ? std::move(picture) : Annotate(picture.status(), name(i));
  }

 private:
  const std::string set_;
  const size_t pictures_;
  const ReadFloatRow read_row_;
};

}  // namespace

StatusOr<size_t> CountFloatPictures(const std::string& type, std::span<const size_t> shape) {
  // A row may be a type of its own in bcolz: ('<f4', (3, 112, 112)).
  const bool is_float =
      type.find("float32") != std::string::npos || type.find("<f4") != std::string::npos;
  if (is_float && shape.size() == 4 && shape[1] == 3 && shape[2] == kSide && shape[3] == kSide &&
      shape[0] <= kMostFloatPictures) {
    return shape[0];
  }
  return InvalidArgument(
      fmt::format("is an array of {} with the shape ({}), expected float32 and (N, 3, 112, 112)",
                  type.size() < 64 ? type : "another type", fmt::join(shape, ", ")));
}

StatusOr<cv::Mat> PictureOfFloats(std::string_view row) {
  if (row.size() != kBytesOfPicture) {
    return InvalidArgument(
        fmt::format("has {} bytes, expected {}", row.size(), size_t{kBytesOfPicture}));
  }
  cv::Mat picture(kSide, kSide, CV_8UC3);
  for (size_t channel = 0; channel < 3; ++channel) {
    for (size_t pixel = 0; pixel < kSide * kSide; ++pixel) {
      float value = 0.0F;
      std::memcpy(&value, row.data() + (channel * kSide * kSide + pixel) * sizeof(float),
                  sizeof(float));
      if (!(std::abs(value) <= kMost)) {
        return InvalidArgument(fmt::format(
            "has the value {:g}, expected -1 to 1: (x / 255 - 0.5) / 0.5 of its pixels", value));
      }
      picture.data[3 * pixel + channel] =
          cv::saturate_cast<uint8_t>(std::lround((value * 0.5F + 0.5F) * 255.0F));
    }
  }
  return picture;
}

StatusOr<PairSet> MakeFloatPairs(const std::string& set, size_t pictures, ReadFloatRow read_row) {
  const std::string list = set + "_list.npy";
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(list, kMaxListBytes));
  const StatusOr<std::vector<bool>> same = ParseNpyTruths(bytes);
  if (!same.ok()) return InvalidArgument(fmt::format("{} {}", list, MessageOf(same.status())));
  StatusOr<std::vector<PicturePair>> pairs = PairsInOrder(pictures, *same);
  if (!pairs.ok()) {
    return InvalidArgument(fmt::format("{} with {} {}", set, list, MessageOf(pairs.status())));
  }
  return PairSet{.name = std::filesystem::path(set).filename().string(),
                 .pictures = std::make_shared<FloatPictures>(set, pictures, std::move(read_row)),
                 .pairs = *std::move(pairs)};
}

}  // namespace facegate
