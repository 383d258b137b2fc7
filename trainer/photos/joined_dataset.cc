#include "trainer/photos/joined_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace facegate {
namespace {

class JoinedDataset final : public Dataset {
 public:
  explicit JoinedDataset(std::vector<std::unique_ptr<Dataset>> parts) : parts_(std::move(parts)) {
    starts_.reserve(parts_.size());
    first_labels_.reserve(parts_.size());
    for (const std::unique_ptr<Dataset>& part : parts_) {
      starts_.push_back(size_);
      first_labels_.push_back(static_cast<uint32_t>(classes_));
      size_ += part->size();
      classes_ += part->classes();
    }
  }

  size_t size() const override { return size_; }
  size_t classes() const override { return classes_; }
  uint32_t label(size_t i) const override {
    const size_t part = PartOf(i);
    const uint32_t label = parts_[part]->label(i - starts_[part]);
    return label == kUnlabelled ? kUnlabelled : first_labels_[part] + label;
  }
  std::string name(size_t i) const override {
    const size_t part = PartOf(i);
    return parts_[part]->name(i - starts_[part]);
  }
  std::vector<std::string> remarks() const override {
    std::vector<std::string> all;
    for (const std::unique_ptr<Dataset>& part : parts_) {
      const std::vector<std::string> own = part->remarks();
      all.insert(all.end(), own.begin(), own.end());
    }
    return all;
  }
  StatusOr<cv::Mat> Load(size_t i) const override {
    const size_t part = PartOf(i);
    return parts_[part]->Load(i - starts_[part]);
  }
  StatusOr<cv::Mat> LoadVaried(size_t i, RandomStream& random) const override {
    const size_t part = PartOf(i);
    return parts_[part]->LoadVaried(i - starts_[part], random);
  }

 private:
  // The last part that begins at `i` or before; an empty one begins where the next does.
  size_t PartOf(size_t i) const {
    const auto next = std::upper_bound(starts_.begin(), starts_.end(), i);
    return static_cast<size_t>(next - starts_.begin()) - 1;
  }

  const std::vector<std::unique_ptr<Dataset>> parts_;
  std::vector<size_t> starts_;
  std::vector<uint32_t> first_labels_;
  size_t size_ = 0;
  size_t classes_ = 0;
};

}  // namespace

StatusOr<std::unique_ptr<Dataset>> JoinDatasets(std::vector<std::unique_ptr<Dataset>> parts) {
  if (parts.empty()) return InvalidArgument("no dataset to join");
  if (parts.size() == 1) return std::move(parts.front());
  size_t classes = 0;
  for (const std::unique_ptr<Dataset>& part : parts) classes += part->classes();
  if (classes > std::numeric_limits<uint32_t>::max()) {
    return InvalidArgument(fmt::format("{} datasets have {} identities together, limit is {}",
                                       parts.size(), classes,
                                       std::numeric_limits<uint32_t>::max()));
  }
  return std::make_unique<JoinedDataset>(std::move(parts));
}

}  // namespace facegate
