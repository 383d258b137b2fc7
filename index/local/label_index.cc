#include "index/local/label_index.h"

#include <algorithm>

namespace facegate {

LabelIndex::Addition LabelIndex::Prepare(uint64_t identity, const Labels& labels) {
  Addition addition;
  addition.nodes_.reserve(labels.size());
  for (const auto& [key, value] : labels) {
    Map label;
    label.emplace(Label(key, value), Identities());
    Identities one{identity};
    addition.nodes_.emplace_back(label.extract(label.begin()), one.extract(one.begin()));
  }
  return addition;
}

void LabelIndex::Add(Addition&& addition) {
  for (auto& [label, identity] : addition.nodes_) {
    const auto place = identities_.insert(std::move(label)).position;
    place->second.insert(std::move(identity));
  }
}

void LabelIndex::Remove(uint64_t identity, const Labels& labels) {
  for (const auto& [key, value] : labels) {
    const auto place = identities_.find(LabelView(key, value));
    if (place == identities_.end()) continue;
    place->second.erase(identity);
    if (place->second.empty()) identities_.erase(place);
  }
}

std::optional<uint64_t> LabelIndex::List(const Labels& labels, uint64_t from,
                                         std::vector<uint64_t>& identities) const {
  constexpr size_t kAtOnce = 2000;  // look-ups: about a millisecond
  std::vector<const Identities*> sets;
  for (const auto& [key, value] : labels) {
    const auto place = identities_.find(LabelView(key, value));
    if (place == identities_.end()) return std::nullopt;
    sets.push_back(&place->second);
  }
  std::sort(sets.begin(), sets.end(),
            [](const Identities* a, const Identities* b) { return a->size() < b->size(); });
  auto next = sets.front()->lower_bound(from);
  for (size_t i = 0; i < kAtOnce && next != sets.front()->end(); i += sets.size(), ++next) {
    const bool has_all = std::all_of(sets.begin() + 1, sets.end(), [&](const Identities* others) {
      return others->contains(*next);
    });
    if (has_all) identities.push_back(*next);
  }
  return next == sets.front()->end() ? std::nullopt : std::optional<uint64_t>(*next);
}

}  // namespace facegate
