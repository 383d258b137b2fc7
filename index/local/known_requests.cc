#include "index/local/known_requests.h"

#include <algorithm>
#include <iterator>

namespace facegate {

std::vector<KnownRequests::Place> KnownRequests::PlacesFor(const StoreChange& change) {
  std::vector<Place> places;
  places.reserve(change.requests.size());
  for (const StoredRequest& request : change.requests) {
    KnownRequests one;
    one.Add(request.key, request.create_time_us);
    places.push_back({.by_id = one.by_id_.extract(one.by_id_.begin()),
                      .by_owner = one.by_owner_.extract(one.by_owner_.begin()),
                      .by_age = one.by_age_.extract(one.by_age_.begin())});
  }
  return places;
}

bool KnownRequests::Add(const RequestKey& key, int64_t create_time_us) {
  const Known known{.owner = key.owner, .create_time_us = create_time_us};
  if (!by_id_.emplace(key.id, known).second) return false;
  by_owner_.insert(key);
  by_age_.emplace(create_time_us, key.id);
  return true;
}

void KnownRequests::Remember(Place place) {
  if (const auto known = by_id_.find(place.by_id.key()); known != by_id_.end()) {
    Forget({.owner = known->second.owner, .id = known->first});
  }
  by_id_.insert(std::move(place.by_id));
  by_owner_.insert(std::move(place.by_owner));
  by_age_.insert(std::move(place.by_age));
}

void KnownRequests::Forget(const RequestKey& key) {
  const auto known = by_id_.find(key.id);
  if (known == by_id_.end() || known->second.owner != key.owner) return;
  by_age_.erase({known->second.create_time_us, key.id});
  by_owner_.erase(key);
  by_id_.erase(known);
}

std::optional<IdentityKey> KnownRequests::OwnerOf(const RequestId& id) const {
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) return std::nullopt;
  return known->second.owner;
}

KnownRequests::Keys KnownRequests::Below(const IdentityKey& owner) const {
  const IdentityKey next{.collection = owner.collection, .identity = owner.identity + 1};
  return {by_owner_.lower_bound({.owner = owner, .id = {}}),
          by_owner_.lower_bound({.owner = next, .id = {}})};
}

KnownRequests::Keys KnownRequests::Below(uint64_t collection) const {
  const IdentityKey from{.collection = collection, .identity = 0};
  const IdentityKey until{.collection = collection + 1, .identity = 0};
  return {by_owner_.lower_bound({.owner = from, .id = {}}),
          by_owner_.lower_bound({.owner = until, .id = {}})};
}

std::vector<RequestKey> KnownRequests::OldestBelow(const IdentityKey& owner, size_t most) const {
  const Keys below = Below(owner);
  const auto count = static_cast<size_t>(std::distance(below.begin(), below.end()));
  if (count <= most) return {};
  std::vector<std::pair<int64_t, RequestKey>> oldest;
  oldest.reserve(count);
  for (const RequestKey& key : below) {
    oldest.emplace_back(by_id_.at(key.id).create_time_us, key);
  }
  std::sort(oldest.begin(), oldest.end());
  std::vector<RequestKey> keys;
  keys.reserve(count - most);
  for (size_t i = 0; i < count - most; ++i) keys.push_back(oldest[i].second);
  return keys;
}

}  // namespace facegate
