#pragma once

#include <cstddef>
#include <functional>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "trainer/photos/pair_set.h"

// What the sets of pairs of face.evoLVe and AdaFace have in common, in whatever file the numbers
// are: an array of N x 3 x 112 x 112 little-endian float32, BGR, in which a pixel x of 0 to 255
// became (x / 255 - 0.5) / 0.5 (their convert.py), and beside the folder NAME of the set a file
// NAME_list.npy of N / 2 truth values.
namespace facegate {

inline constexpr size_t kFloatsOfPicture = size_t{3} * 112 * 112;
inline constexpr size_t kBytesOfPicture = kFloatsOfPicture * sizeof(float);
// No set has more pictures than this.
inline constexpr size_t kMostFloatPictures = 10'000'000;

// How many pictures an array of this type and shape has. kInvalidArgument, saying what is expected,
// for other types and shapes.
StatusOr<size_t> CountFloatPictures(const std::string& type, std::span<const size_t> shape);

// 8-bit BGR of one row of the array, which has kBytesOfPicture. kInvalidArgument where a value is
// none that a pixel gives.
StatusOr<cv::Mat> PictureOfFloats(std::string_view row);

// Gives the bytes of a row, kBytesOfPicture of them; thread-safe.
using ReadFloatRow = std::function<StatusOr<std::string>(size_t)>;

// The set whose array lies in the folder `set`, "…/NAME", or in one below it. Reads the list of
// truth values.
StatusOr<PairSet> MakeFloatPairs(const std::string& set, size_t pictures, ReadFloatRow read_row);

}  // namespace facegate
