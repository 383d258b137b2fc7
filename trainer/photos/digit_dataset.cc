#include "trainer/photos/digit_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "face/image/encode.h"
#include "trainer/photos/idx_file.h"
#include "trainer/photos/indexed_source.h"
#include "trainer/photos/photo_files.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTrainImages = "train-images-idx3-ubyte";
constexpr std::string_view kTestImages = "t10k-images-idx3-ubyte";

constexpr size_t kMostSide = 65535;

class DigitSource final : public IndexedSource {
 public:
  DigitSource(std::string path, DigitSet digits, DenseLabels labels)
      : IndexedSource(std::move(labels), {}), path_(std::move(path)), digits_(std::move(digits)) {}

  std::string name(size_t i) const override { return fmt::format("{}, picture {}", path_, i); }
  std::string short_name(size_t i) const override {
    return fmt::format("{}/{:05}.png", digits_.labels[i], i);
  }
  StatusOr<std::string> Read(size_t i) const override {
    const size_t bytes = digits_.rows * digits_.columns;
    const auto* const pixels = reinterpret_cast<const uint8_t*>(digits_.pixels.data()) + i * bytes;
    StatusOr<std::string> png = EncodePng({.first = pixels,
                                           .width = static_cast<int>(digits_.columns),
                                           .height = static_cast<int>(digits_.rows),
                                           .channels = 1,
                                           .stride = digits_.columns});
    return png.ok() ? std::move(png) : Annotate(png.status(), name(i));
  }

 private:
  const std::string path_;
  const DigitSet digits_;
};

// Nothing for the name of another file.
std::optional<DigitPart> PartOf(std::string_view name) {
  if (name.ends_with(".gz")) name.remove_suffix(3);
  if (name == kTrainImages) return DigitPart::kTrain;
  if (name == kTestImages) return DigitPart::kTest;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> SniffDigits(const DatasetCandidate& candidate) {
  if (!candidate.is_folder) {
    if (!PartOf(fs::path(candidate.path).filename().string()).has_value()) return std::nullopt;
    return "is a file of MNIST's pictures";
  }
  const auto is_train = [](std::string_view name) { return PartOf(name) == DigitPart::kTrain; };
  if (FilesLike(candidate.path, is_train).empty() || HasFolderOfPhotos(candidate.path)) {
    return std::nullopt;
  }
  return "holds MNIST's files";
}

StatusOr<std::unique_ptr<PhotoSource>> OpenDigitSource(const std::string& path,
                                                       const std::string& /*root*/,
                                                       MissingPhotos /*missing*/) {
  std::error_code error;
  const bool is_folder = fs::is_directory(path, error);
  const fs::path file(path);
  const DigitPart part =
      is_folder ? DigitPart::kTrain : PartOf(file.filename().string()).value_or(DigitPart::kTrain);
  const std::string folder = is_folder ? path : file.parent_path().string();
  FACEGATE_ASSIGN_OR_RETURN(DigitSet digits, ReadDigits(folder, part));
  if (digits.size() == 0) return InvalidArgument(fmt::format("{} has no pictures", path));
  if (std::max(digits.rows, digits.columns) > kMostSide) {
    return InvalidArgument(fmt::format("{} has pictures of {} x {} pixels, the most is {} x {}",
                                       path, digits.columns, digits.rows, kMostSide, kMostSide));
  }
  const std::vector<int64_t> numbers(digits.labels.begin(), digits.labels.end());
  return std::make_unique<DigitSource>(path, std::move(digits), DenseLabelsOf(numbers));
}

}  // namespace facegate
