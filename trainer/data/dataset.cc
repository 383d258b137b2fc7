#include "trainer/data/dataset.h"

#include <utility>

#include "face/base/file.h"
#include "face/image/decode.h"

namespace facegate {
namespace {

constexpr DecodeLimits kLimits{.max_bytes = 256ULL << 20, .max_pixels = 200'000'000};

class ListDataset final : public Dataset {
 public:
  explicit ListDataset(ImageList list) : list_(std::move(list)) {}

  size_t size() const override { return list_.images.size(); }
  size_t classes() const override { return list_.classes.size(); }
  uint32_t label(size_t i) const override { return list_.images[i].label; }
  std::string name(size_t i) const override { return list_.images[i].path; }
  StatusOr<cv::Mat> Load(size_t i) const override {
    const std::string& path = list_.images[i].path;
    FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kLimits.max_bytes));
    StatusOr<Image> image = DecodeImage(bytes, kLimits);
    if (!image.ok()) return Annotate(image.status(), path);
    return image->bgr;
  }

 private:
  const ImageList list_;
};

}  // namespace

std::unique_ptr<Dataset> MakeListDataset(ImageList list) {
  return std::make_unique<ListDataset>(std::move(list));
}

}  // namespace facegate
