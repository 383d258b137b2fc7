#include "trainer/measure/identification.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string_view>
#include <thread>

#include "trainer/measure/photo_person.h"

namespace facegate {
namespace {

constexpr size_t kWorthThreads = 1 << 22;  // dot products

// The rank of a person who is not found at any.
constexpr size_t kNoRank = std::numeric_limits<size_t>::max();

// Calls `work` with 0 to count - 1, each of which costs so many dot products; from several threads
// where they are many, `most` or, for 0, as many as there are cores.
template <typename Work>
void ForEachProbe(size_t count, size_t cost, int most, const Work& work) {
  const size_t all =
      most > 0 ? static_cast<size_t>(most) : std::max(1U, std::thread::hardware_concurrency());
  const size_t threads = count * cost < kWorthThreads ? 1 : all;
  const auto part = [&](size_t first) {
    for (size_t i = first; i < count; i += threads) work(i);
  };
  std::vector<std::jthread> others;
  for (size_t i = 1; i < threads; ++i) others.emplace_back(part, i);
  part(0);
}

}  // namespace

StatusOr<IdentificationProtocol> FirstPhotoProtocol(const EmbeddingSet& set, size_t least) {
  if (least < 2) return InvalidArgument("a person who is looked for needs at least 2 photos");
  std::map<std::string_view, std::vector<size_t>> people;
  for (size_t i = 0; i < set.size(); ++i) people[PersonOf(set.names()[i])].push_back(i);
  IdentificationProtocol protocol;
  for (auto& [person, photos] : people) {
    if (photos.size() == 1) protocol.strangers.push_back(photos.front());
    if (photos.size() < least) continue;
    std::sort(photos.begin(), photos.end(),
              [&](size_t a, size_t b) { return set.names()[a] < set.names()[b]; });
    for (size_t i = 1; i < photos.size(); ++i) {
      protocol.probes.push_back({.photo = photos[i], .person = protocol.gallery.size()});
    }
    protocol.gallery.push_back(photos.front());
  }
  if (protocol.gallery.empty()) {
    return InvalidArgument(fmt::format("no person has {} or more photos", least));
  }
  return protocol;
}

IdentificationScores IdentificationScores::Compute(const EmbeddingSet& enrolled,
                                                   const EmbeddingSet& seen,
                                                   const IdentificationProtocol& protocol,
                                                   int threads) {
  IdentificationScores result;
  const std::vector<size_t>& gallery = protocol.gallery;
  result.ranks_.resize(protocol.probes.size());
  result.scores_.resize(protocol.probes.size());
  ForEachProbe(protocol.probes.size(), gallery.size(), threads, [&](size_t i) {
    const IdentificationProtocol::Probe& probe = protocol.probes[i];
    const double own = CosineOf(seen.row(probe.photo), enrolled.row(gallery[probe.person]));
    size_t rank = 1;
    for (size_t person = 0; person < gallery.size(); ++person) {
      if (person == probe.person) continue;
      const double other = CosineOf(seen.row(probe.photo), enrolled.row(gallery[person]));
      if (other > own || (other == own && person < probe.person)) ++rank;
    }
    const bool comparable = seen.has_face(probe.photo) && enrolled.has_face(gallery[probe.person]);
    if (!comparable) rank = kNoRank;
    result.ranks_[i] = rank;
    result.scores_[i] = own;
  });
  result.strangers_.resize(protocol.strangers.size(), kNoScore);
  ForEachProbe(protocol.strangers.size(), gallery.size(), threads, [&](size_t i) {
    double& best = result.strangers_[i];
    for (const size_t photo : gallery) {
      best = std::max(best, CosineOf(seen.row(protocol.strangers[i]), enrolled.row(photo)));
    }
  });
  std::sort(result.strangers_.begin(), result.strangers_.end(), std::greater<>());
  return result;
}

size_t IdentificationScores::HitsAtRank(size_t rank) const {
  return static_cast<size_t>(
      std::count_if(ranks_.begin(), ranks_.end(), [rank](size_t one) { return one <= rank; }));
}

Share IdentificationScores::AtRank(size_t rank) const {
  return ShareOf(HitsAtRank(rank), ranks_.size());
}

StatusOr<OpenSetRate> IdentificationScores::AtFpir(double fpir) const {
  if (strangers_.empty()) return InvalidArgument("there are no strangers: FPIR is not defined");
  if (!(fpir >= 0.0 && fpir < 1.0)) {
    return InvalidArgument(
        fmt::format("a false positive identification rate is 0 to below 1, not {}", fpir));
  }
  const auto k = static_cast<size_t>(std::floor(fpir * static_cast<double>(strangers_.size())));
  const double threshold = strangers_[k];
  size_t hits = 0;
  for (size_t i = 0; i < ranks_.size(); ++i) {
    hits += ranks_[i] == 1 && scores_[i] > threshold ? 1 : 0;
  }
  return OpenSetRate{.fpir = fpir, .threshold = threshold, .tpir = ShareOf(hits, ranks_.size())};
}

}  // namespace facegate
