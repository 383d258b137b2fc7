#include "trainer/inspect/duplicates.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string_view>
#include <utility>

namespace facegate {
namespace {

constexpr int kBands = 4;  // of the coarse hash
constexpr int kBandBits = 64 / kBands;
static_assert(kNearCoarse < kBands, "hashes this near are equal in one band at least");

// Sets that are joined (Tarjan, 1975): each photo points towards the first one of its set.
class JoinedSets {
 public:
  explicit JoinedSets(size_t size) : parents_(size) {
    std::iota(parents_.begin(), parents_.end(), size_t{0});
  }
  size_t Find(size_t i) {
    while (parents_[i] != i) {
      parents_[i] = parents_[parents_[i]];
      i = parents_[i];
    }
    return i;
  }
  void Join(size_t a, size_t b) {
    const auto [first, second] = std::minmax({Find(a), Find(b)});
    parents_[second] = first;
  }

 private:
  std::vector<size_t> parents_;
};

using Facts = std::span<const std::optional<PhotoFacts>>;

std::string_view DigestOf(const PhotoFacts& facts) {
  return {reinterpret_cast<const char*>(facts.sha256.data()), facts.sha256.size()};
}

void JoinIdentical(Facts facts, JoinedSets& sets) {
  std::map<std::string_view, size_t> first_of;
  for (size_t i = 0; i < facts.size(); ++i) {
    if (!facts[i].has_value()) continue;
    const auto [at, fresh] = first_of.emplace(DigestOf(*facts[i]), i);
    if (!fresh) sets.Join(at->second, i);
  }
}

void JoinNear(Facts facts, JoinedSets& sets) {
  std::vector<size_t> order;
  order.reserve(facts.size());
  for (size_t i = 0; i < facts.size(); ++i) {
    // One of each set of identical photos stands for all of them.
    if (facts[i].has_value() && !facts[i]->flat && sets.Find(i) == i) order.push_back(i);
  }
  for (int band = 0; band < kBands; ++band) {
    const auto key = [&](size_t i) {
      return static_cast<uint16_t>(facts[i]->hash.coarse >> (band * kBandBits));
    };
    std::ranges::sort(
        order, [&](size_t a, size_t b) { return std::pair(key(a), a) < std::pair(key(b), b); });
    for (size_t begin = 0; begin < order.size(); ++begin) {
      const PictureHash& one = facts[order[begin]]->hash;
      for (size_t at = begin + 1; at < order.size() && key(order[at]) == key(order[begin]); ++at) {
        const PictureHash& other = facts[order[at]]->hash;
        if (CoarseDistance(one, other) <= kNearCoarse && FineDistance(one, other) <= kNearFine) {
          sets.Join(order[begin], order[at]);
        }
      }
    }
  }
}

std::vector<DuplicateGroup> GroupsOf(Facts facts, std::span<const uint32_t> labels,
                                     JoinedSets& sets) {
  std::map<size_t, DuplicateGroup> groups;
  for (size_t i = 0; i < facts.size(); ++i) {
    if (facts[i].has_value()) groups[sets.Find(i)].photos.push_back(i);
  }
  std::vector<DuplicateGroup> found;
  for (auto& [first, group] : groups) {
    if (group.photos.size() < 2) continue;
    const auto all = [f = first, &photos = group.photos](auto same_as_first) {
      return std::ranges::all_of(photos, [&](size_t i) { return same_as_first(f, i); });
    };
    group.identical = all([&](size_t a, size_t b) { return facts[a]->sha256 == facts[b]->sha256; });
    group.across_identities = !all([&](size_t a, size_t b) { return labels[a] == labels[b]; });
    found.push_back(std::move(group));
  }
  return found;
}

}  // namespace

std::vector<DuplicateGroup> FindDuplicates(std::span<const std::optional<PhotoFacts>> facts,
                                           std::span<const uint32_t> labels) {
  JoinedSets sets(facts.size());
  JoinIdentical(facts, sets);
  JoinNear(facts, sets);
  return GroupsOf(facts, labels, sets);
}

}  // namespace facegate
