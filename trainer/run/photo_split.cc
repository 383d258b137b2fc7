#include "trainer/run/photo_split.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "face/base/counted.h"
#include "face/base/random.h"

namespace facegate {
namespace {

constexpr uint64_t kValidationStream = 61;

}  // namespace

size_t PhotoSplit::KeptFirst(uint32_t label, std::vector<size_t>& own) {
  return folds_ > 0 ? FoldFirst(label, own) : ShareFirst(label, own);
}

// By chance one more or less than the share, on average as many.
size_t PhotoSplit::ShareFirst(uint32_t label, std::vector<size_t>& own) const {
  RandomStream random(seed_, kValidationStream, label);
  const double share = share_ * static_cast<double>(own.size());
  const auto wanted = static_cast<size_t>(share_ > 0.0 ? share + random.Uniform() : 0.0);
  const size_t kept = std::min(wanted, own.size() - 1);
  if (kept > 0) random.Shuffle(std::span(own));
  return kept;
}

// Photos are dealt out to the folds in turn, those of one identity after those of the other, so
// that no fold has more than one photo more than another.
size_t PhotoSplit::FoldFirst(uint32_t label, std::vector<size_t>& own) {
  if (own.size() == 1) {
    single_ += 1;
    return 0;
  }
  if (own.size() < folds_) few_ += 1;
  RandomStream(seed_, kValidationStream, label).Shuffle(std::span(own));
  std::vector<size_t> kept;
  std::vector<size_t> others;
  for (const size_t photo : own) (dealt_++ % folds_ == fold_ ? kept : others).push_back(photo);
  const size_t count = kept.size();
  own = std::move(kept);
  own.insert(own.end(), others.begin(), others.end());
  return count;
}

std::optional<std::string> PhotoSplit::FoldNote() const {
  if (folds_ == 0) return std::nullopt;
  std::string note = fmt::format("fold {} of 0 to {} is kept from training", fold_, folds_ - 1);
  if (few_ > 0) {
    note += fmt::format("; {} with fewer photos than there are folds: some folds have none of them",
                        Counted(few_, "identity", "identities"));
  }
  if (single_ > 0) {
    note += fmt::format("; {} with one photo, which is always trained on",
                        Counted(single_, "identity", "identities"));
  }
  return note;
}

}  // namespace facegate
