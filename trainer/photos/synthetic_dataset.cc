#include "trainer/photos/synthetic_dataset.h"

#include <fmt/format.h>

#include <utility>

#include "trainer/synthetic/synthetic_face.h"

namespace facegate {
namespace {

class SyntheticDataset final : public Dataset {
 public:
  explicit SyntheticDataset(const SyntheticDatasetOptions& options) : options_(options) {}

  size_t size() const override { return options_.identities * options_.views; }
  size_t classes() const override { return options_.identities; }
  uint32_t label(size_t i) const override { return static_cast<uint32_t>(i / options_.views); }
  std::string name(size_t i) const override {
    const synthetic::FaceName name = NameOf(i);
    return fmt::format("synthetic/{:06}/{:03}", name.identity, name.view);
  }
  StatusOr<cv::Mat> Load(size_t i) const override {
    StatusOr<synthetic::RenderedFace> face =
        synthetic::RenderFaceCrop(NameOf(i), {.difficulty = options_.difficulty});
    if (!face.ok()) return Annotate(face.status(), name(i));
    return std::move(face->picture);
  }

 private:
  synthetic::FaceName NameOf(size_t i) const {
    return {.seed = options_.seed,
            .identity = options_.first_identity + i / options_.views,
            .view = options_.first_view + i % options_.views};
  }

  const SyntheticDatasetOptions options_;
};

}  // namespace

std::unique_ptr<Dataset> MakeSyntheticDataset(const SyntheticDatasetOptions& options) {
  return std::make_unique<SyntheticDataset>(options);
}

}  // namespace facegate
