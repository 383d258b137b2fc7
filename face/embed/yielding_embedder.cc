#include "face/embed/yielding_embedder.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "face/base/log.h"

namespace facegate {
namespace {

constexpr std::chrono::milliseconds kRetryAfter{500};

}  // namespace

YieldingEmbedder::YieldingEmbedder(std::unique_ptr<Embedder> within)
    : within_(std::move(within)), largest_(within_->max_batch()) {}

StatusOr<std::vector<Embedding>> YieldingEmbedder::Embed(std::span<const AlignedFace> faces) {
  const auto most = static_cast<size_t>(within_->max_batch());
  if (faces.empty() || faces.size() > most) {
    return InvalidArgument(
        fmt::format("{} faces in one call, expected 1 to {}", faces.size(), most));
  }
  std::vector<Embedding> embeddings;
  embeddings.reserve(faces.size());
  while (!faces.empty()) {
    const size_t count = std::min(faces.size(), static_cast<size_t>(largest_.load()));
    auto part = within_->Embed(faces.first(count));
    if (part.status().code() == StatusCode::kResourceExhausted) {
      Yield(static_cast<int>(count));
      return WithRetryAfter(Refuse(Reason::kQueueFull,
                                   fmt::format("{} has too little free memory for {} faces at once",
                                               compute().device, count)),
                            kRetryAfter);
    }
    if (!part.ok()) return part.status();
    std::move(part->begin(), part->end(), std::back_inserter(embeddings));
    faces = faces.subspan(count);
  }
  return embeddings;
}

void YieldingEmbedder::Yield(int too_many) {
  const int half = std::max(1, too_many / 2);
  int before = largest_;
  // Another call may have found less.
  while (before > half && !largest_.compare_exchange_weak(before, half)) {
  }
  if (before > half) {
    LogWarning("{} has too little free memory for {} faces at once; batches are of up to {} now",
               compute().device, too_many, half);
  }
}

}  // namespace facegate
