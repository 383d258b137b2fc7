#include "face/embed/proven_embedder.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "face/base/log.h"
#include "face/embed/canary.h"

namespace facegate {
namespace {

constexpr uint64_t kSeed = 1;
constexpr int kFaces = 8;

// True where a finer precision would fare no better.
bool IsOfTheDevice(const Status& status) {
  return status.code() == StatusCode::kResourceExhausted ||
         status.code() == StatusCode::kUnavailable;
}

}  // namespace

StatusOr<std::unique_ptr<Embedder>> MakeProvenEmbedder(std::span<const Precision> precisions,
                                                       const EmbedderMaker& make) {
  std::optional<Canary> own;  // for a card without one
  for (const Precision precision : precisions) {
    FACEGATE_ASSIGN_OR_RETURN(auto embedder, make(precision));
    if (!embedder->card().canary.has_value() && !own.has_value()) {
      if (precision == precisions.back()) return embedder;
      embedder.reset();  // a card may hold one of them alone
      FACEGATE_ASSIGN_OR_RETURN(auto finest, make(precisions.back()));
      FACEGATE_ASSIGN_OR_RETURN(own, RecordCanary(*finest, kSeed, kFaces));
      finest.reset();
      FACEGATE_ASSIGN_OR_RETURN(embedder, make(precision));
    }
    const Canary& canary = own.has_value() ? *own : *embedder->card().canary;
    Status proven = CheckCanary(*embedder, canary, CanaryTolerance(precision));
    if (proven.ok()) return embedder;
    if (precision == precisions.back() || IsOfTheDevice(proven)) return proven;
    LogWarning("precision {} does not serve this model, the next finer one is tried: {}",
               PrecisionName(precision), MessageOf(proven));
  }
  return Internal("no precision was given to try");
}

}  // namespace facegate
