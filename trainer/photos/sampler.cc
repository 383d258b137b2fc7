#include "trainer/photos/sampler.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "face/base/check.h"
#include "face/base/random.h"

namespace facegate {
namespace {

// Each number names a purpose of random numbers.
constexpr uint64_t kOrder = 11;
constexpr uint64_t kBalance = 12;
constexpr uint64_t kReplacement = 13;

}  // namespace

Sampler::Sampler(const Dataset& dataset, const SamplerOptions& options)
    : options_(options),
      size_(dataset.size()),
      steps_per_epoch_(std::max<size_t>(1, dataset.size() / options.batch)) {
  FACEGATE_CHECK(size_ > 0 && size_ <= UINT32_MAX && options.batch > 0);
  if (!options.balanced) return;
  by_class_.resize(dataset.classes());
  for (size_t i = 0; i < size_; ++i) {
    const uint32_t label = dataset.label(i);
    if (label != Dataset::kUnlabelled) by_class_[label].push_back(static_cast<uint32_t>(i));
  }
  std::erase_if(by_class_, [](const std::vector<uint32_t>& photos) { return photos.empty(); });
  FACEGATE_CHECK(!by_class_.empty());
}

Sampler::Order Sampler::OrderOf(size_t epoch) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (cached_ != nullptr && cached_epoch_ == epoch) return cached_;
  auto order = std::make_shared<std::vector<uint32_t>>(size_);
  std::iota(order->begin(), order->end(), 0u);
  RandomStream random(options_.seed, kOrder, epoch);
  random.Shuffle(std::span(*order));
  cached_ = std::move(order);
  cached_epoch_ = epoch;
  return cached_;
}

std::vector<size_t> Sampler::BalancedBatch(size_t step) const {
  std::vector<size_t> batch;
  RandomStream random(options_.seed, kBalance, step);
  for (size_t place = 0; place < options_.batch; ++place) {
    const std::vector<uint32_t>& photos = by_class_[random.Below(by_class_.size())];
    batch.push_back(photos[random.Below(photos.size())]);
  }
  return batch;
}

std::vector<size_t> Sampler::BatchAt(size_t step) const {
  if (options_.balanced) return BalancedBatch(step);
  const Order order = OrderOf(EpochOf(step));
  const size_t begin = step % steps_per_epoch_ * options_.batch;
  std::vector<size_t> batch;
  for (size_t place = 0; place < options_.batch; ++place) {
    batch.push_back((*order)[(begin + place) % size_]);
  }
  return batch;
}

size_t Sampler::ReplacementAt(size_t step, size_t place, size_t attempt) const {
  return RandomStream(options_.seed, kReplacement, step, place, attempt).Below(size_);
}

}  // namespace facegate
