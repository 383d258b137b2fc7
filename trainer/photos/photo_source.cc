#include "trainer/photos/photo_source.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "face/base/file.h"
#include "face/image/decode.h"

namespace facegate {
namespace {

constexpr DecodeLimits kLimits{
    .max_bytes = kMaxTrainingPhotoBytes, .max_pixels = 200'000'000, .heif = true};

class ListSource final : public PhotoSource {
 public:
  ListSource(ImageList list, const std::string& root)
      : list_(std::move(list)), prefix_((std::filesystem::path(root) / "").string()) {}

  size_t size() const override { return list_.images.size(); }
  const std::vector<std::string>& classes() const override { return list_.classes; }
  uint32_t label(size_t i) const override { return list_.images[i].label; }
  std::string name(size_t i) const override { return list_.images[i].path; }
  std::string short_name(size_t i) const override {
    const std::string& path = list_.images[i].path;
    return path.starts_with(prefix_) ? path.substr(prefix_.size()) : path;
  }
  std::string folder() const override { return prefix_; }
  bool has_files() const override { return true; }
  std::vector<std::string> remarks() const override { return list_.remarks; }
  StatusOr<std::string> Read(size_t i) const override {
    return ReadPhotoFile(list_.images[i].path);
  }

 private:
  const ImageList list_;
  const std::string prefix_;  // root, with a slash at its end
};

class DecodedDataset final : public Dataset {
 public:
  explicit DecodedDataset(std::unique_ptr<PhotoSource> source) : source_(std::move(source)) {}

  size_t size() const override { return source_->size(); }
  size_t classes() const override { return source_->classes().size(); }
  uint32_t label(size_t i) const override { return source_->label(i); }
  std::string name(size_t i) const override { return source_->name(i); }
  std::vector<std::string> remarks() const override { return source_->remarks(); }
  StatusOr<cv::Mat> Load(size_t i) const override {
    FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, source_->Read(i));
    StatusOr<cv::Mat> picture = DecodeTrainingPhoto(bytes);
    if (!picture.ok()) return Annotate(picture.status(), source_->name(i));
    return picture;
  }

 private:
  const std::unique_ptr<PhotoSource> source_;
};

}  // namespace

Status CheckTrainingPhotoSize(uint64_t bytes) {
  if (bytes <= kMaxTrainingPhotoBytes) return OkStatus();
  return InvalidArgument(
      fmt::format("has {} bytes, the most is {}", bytes, kMaxTrainingPhotoBytes));
}

StatusOr<std::string> ReadPhotoFile(const std::string& path) {
  return ReadFile(path, kMaxTrainingPhotoBytes);
}

std::unique_ptr<PhotoSource> MakeListSource(ImageList list, const std::string& root) {
  return std::make_unique<ListSource>(std::move(list), root);
}

StatusOr<cv::Mat> DecodeTrainingPhoto(std::string_view encoded) {
  FACEGATE_ASSIGN_OR_RETURN(const Image image, DecodeImage(encoded, kLimits));
  return image.bgr;
}

std::unique_ptr<Dataset> MakeDecodedDataset(std::unique_ptr<PhotoSource> source) {
  return std::make_unique<DecodedDataset>(std::move(source));
}

}  // namespace facegate
