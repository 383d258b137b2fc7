#include "trainer/landmarks/sample.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <opencv2/imgproc.hpp>
#include <span>
#include <utility>

#include "face/base/catch.h"
#include "face/image/decode.h"
#include "face/image/encode.h"
#include "face/image/mat_pixels.h"
#include "face/weights/safetensors.h"

namespace facegate {
namespace {

constexpr char kSource[] = "source";
constexpr char kPhotos[] = "photos";
constexpr int kJpegQuality = 95;
constexpr size_t kPointNumbers = 10;
constexpr size_t kBoxNumbers = 4;

// A list of numbers for each of a number of samples.
template <typename Number>
Tensor ToTensor(const std::vector<Number>& numbers, size_t each, DType dtype) {
  Tensor tensor{.dtype = dtype,
                .shape = {static_cast<int64_t>(numbers.size() / each), static_cast<int64_t>(each)},
                .bytes = std::string(numbers.size() * sizeof(Number), '\0')};
  std::memcpy(tensor.bytes.data(), numbers.data(), tensor.bytes.size());
  return tensor;
}

Tensor ToTensor(const std::string& bytes) {
  return {.dtype = DType::kU8, .shape = {static_cast<int64_t>(bytes.size())}, .bytes = bytes};
}

template <typename Number>
StatusOr<std::vector<Number>> NumbersOf(const Safetensors& file, const std::string& name,
                                        size_t each, DType dtype) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end() || found->second.dtype != dtype ||
      found->second.bytes.size() % (each * sizeof(Number)) != 0) {
    return InvalidArgument(fmt::format("the samples' tensor {} is missing or damaged", name));
  }
  std::vector<Number> numbers(found->second.bytes.size() / sizeof(Number));
  std::memcpy(numbers.data(), found->second.bytes.data(), found->second.bytes.size());
  return numbers;
}

// Samples of either kind as columns.
struct Columns {
  std::vector<int64_t> photos;
  std::vector<int64_t> ends;   // of the JPEGs in `bytes`
  std::vector<double> boxes;   // NaN where there is none
  std::vector<double> points;  // of faces alone
  std::string bytes;

  void Add(uint32_t photo, const std::string& jpeg, const std::optional<cv::Rect2d>& box) {
    photos.push_back(photo);
    bytes += jpeg;
    ends.push_back(static_cast<int64_t>(bytes.size()));
    const cv::Rect2d value = box.value_or(cv::Rect2d(NAN, NAN, NAN, NAN));
    boxes.insert(boxes.end(), {value.x, value.y, value.width, value.height});
  }

  void Store(const std::string& kind, Safetensors& file) const {
    file.tensors[kind + ".photo"] = ToTensor(photos, 1, DType::kI64);
    file.tensors[kind + ".end"] = ToTensor(ends, 1, DType::kI64);
    file.tensors[kind + ".box"] = ToTensor(boxes, kBoxNumbers, DType::kF64);
    file.tensors[kind + ".points"] = ToTensor(points, kPointNumbers, DType::kF64);
    file.tensors[kind + ".jpeg"] = ToTensor(bytes);
  }

  Status Load(const std::string& kind, const Safetensors& file, size_t photo_count) {
    FACEGATE_ASSIGN_OR_RETURN(photos, NumbersOf<int64_t>(file, kind + ".photo", 1, DType::kI64));
    FACEGATE_ASSIGN_OR_RETURN(ends, NumbersOf<int64_t>(file, kind + ".end", 1, DType::kI64));
    FACEGATE_ASSIGN_OR_RETURN(boxes,
                              NumbersOf<double>(file, kind + ".box", kBoxNumbers, DType::kF64));
    FACEGATE_ASSIGN_OR_RETURN(
        points, NumbersOf<double>(file, kind + ".points", kPointNumbers, DType::kF64));
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<char> all,
                              NumbersOf<char>(file, kind + ".jpeg", 1, DType::kU8));
    bytes.assign(all.begin(), all.end());
    if (ends.size() != photos.size() || boxes.size() != kBoxNumbers * photos.size() ||
        (!points.empty() && points.size() != kPointNumbers * photos.size())) {
      return InvalidArgument("the samples' tensors are not equally long");
    }
    int64_t last = 0;
    for (size_t i = 0; i < ends.size(); ++i) {
      if (ends[i] < last || ends[i] > static_cast<int64_t>(bytes.size()) || photos[i] < 0 ||
          photos[i] >= static_cast<int64_t>(photo_count)) {
        return InvalidArgument(fmt::format("sample {} points outside its file", i));
      }
      last = ends[i];
    }
    return OkStatus();
  }

  std::string JpegOf(size_t i) const {
    const auto begin = static_cast<size_t>(i == 0 ? 0 : ends[i - 1]);
    return bytes.substr(begin, static_cast<size_t>(ends[i]) - begin);
  }
  std::optional<cv::Rect2d> BoxOf(size_t i) const {
    const double* const box = boxes.data() + kBoxNumbers * i;
    if (!std::isfinite(box[0])) return std::nullopt;
    return cv::Rect2d(box[0], box[1], box[2], box[3]);
  }
  Landmarks PointsOf(size_t i) const {
    Landmarks result;
    result.reserve(kPointNumbers / 2);
    const double* const numbers = points.data() + kPointNumbers * i;
    for (size_t k = 0; k < kPointNumbers; k += 2) {
      result.emplace_back(static_cast<float>(numbers[k]), static_cast<float>(numbers[k + 1]));
    }
    return result;
  }
};

}  // namespace

std::string SerializeSamples(const LandmarkSamples& samples, const std::string& source) {
  Columns faces;
  for (const LandmarkSample& face : samples.faces) {
    faces.Add(face.photo, face.jpeg, face.box);
    for (const cv::Point2f& point : face.points) {
      faces.points.insert(faces.points.end(), {point.x, point.y});
    }
  }
  Columns negatives;
  for (const NegativeSample& negative : samples.negatives) {
    negatives.Add(negative.photo, negative.jpeg, negative.box);
  }
  Safetensors file;
  file.metadata[kSource] = source;
  std::string& names = file.metadata[kPhotos];
  for (const std::string& photo : samples.photos) names += photo + "\n";
  faces.Store("face", file);
  negatives.Store("negative", file);
  return SerializeSafetensors(file);
}

StatusOr<LandmarkSamples> ParseSamples(std::string_view bytes, const std::string& source) {
  FACEGATE_ASSIGN_OR_RETURN(const Safetensors file, ParseSafetensors(bytes));
  const auto made_from = file.metadata.find(kSource);
  const auto names = file.metadata.find(kPhotos);
  if (made_from == file.metadata.end() || names == file.metadata.end()) {
    return InvalidArgument("it holds no samples of faces");
  }
  if (made_from->second != source) {
    return FailedPrecondition("its samples were made from other photos, landmarks or options");
  }
  LandmarkSamples samples;
  const std::string& text = names->second;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    if (end == std::string::npos) return InvalidArgument("the samples' names are damaged");
    samples.photos.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  Columns faces;
  FACEGATE_RETURN_IF_ERROR(faces.Load("face", file, samples.photos.size()));
  if (faces.points.size() != kPointNumbers * faces.photos.size()) {
    return InvalidArgument("the samples have no landmarks");
  }
  samples.faces.reserve(faces.photos.size());
  for (size_t i = 0; i < faces.photos.size(); ++i) {
    samples.faces.push_back({.photo = static_cast<uint32_t>(faces.photos[i]),
                             .jpeg = faces.JpegOf(i),
                             .points = faces.PointsOf(i),
                             .box = faces.BoxOf(i)});
  }
  Columns negatives;
  FACEGATE_RETURN_IF_ERROR(negatives.Load("negative", file, samples.photos.size()));
  samples.negatives.reserve(negatives.photos.size());
  for (size_t i = 0; i < negatives.photos.size(); ++i) {
    const std::optional<cv::Rect2d> box = negatives.BoxOf(i);
    if (!box) return InvalidArgument(fmt::format("negative sample {} has no box", i));
    samples.negatives.push_back({.photo = static_cast<uint32_t>(negatives.photos[i]),
                                 .jpeg = negatives.JpegOf(i),
                                 .box = *box});
  }
  return samples;
}

StatusOr<cv::Mat> DecodePatch(const std::string& jpeg) {
  return CatchToStatus("decoding a sample", [&]() -> StatusOr<cv::Mat> {
    const StatusOr<Image> image = DecodeImage(jpeg, {});
    if (!image.ok()) return InvalidArgument("a sample does not decode");
    cv::Mat patch;
    cv::cvtColor(image->bgr, patch, cv::COLOR_BGR2GRAY);
    return patch;
  });
}

StatusOr<std::string> EncodePatch(const cv::Mat& patch) {
  return EncodeJpeg(ViewOf(patch), kJpegQuality);
}

}  // namespace facegate
