#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "index/request_id.h"
#include "index/store/key_codec.h"
#include "index/store/store_change.h"

namespace facegate {

// The requests that a store holds, found by their ids, below their owners and by their age. Their
// answers stay in the store. Not thread-safe.
class KnownRequests {
 private:
  struct Known {
    IdentityKey owner;
    int64_t create_time_us = 0;
  };
  using ById = std::map<RequestId, Known>;
  using ByOwner = std::set<RequestKey>;
  using ByAge = std::set<std::pair<int64_t, RequestId>>;

 public:
  // A place where a request will be remembered; made before the store is written, so that nothing
  // can fail after it.
  struct Place {
    ById::node_type by_id;
    ByOwner::node_type by_owner;
    ByAge::node_type by_age;
  };
  // Keys in their order; valid until the next change.
  class Keys {
   public:
    Keys(ByOwner::const_iterator first, ByOwner::const_iterator last)
        : first_(first), last_(last) {}
    ByOwner::const_iterator begin() const { return first_; }
    ByOwner::const_iterator end() const { return last_; }
    bool empty() const { return first_ == last_; }

   private:
    ByOwner::const_iterator first_;
    ByOwner::const_iterator last_;
  };

  // For the requests that `change` puts into the store.
  static std::vector<Place> PlacesFor(const StoreChange& change);

  // False, and nothing is added, when the id is there already.
  bool Add(const RequestKey& key, int64_t create_time_us);
  // In place of what has the same id.
  void Remember(Place place);
  // Forgets nothing where the request lies below another owner.
  void Forget(const RequestKey& key);

  size_t size() const { return by_id_.size(); }
  std::optional<IdentityKey> OwnerOf(const RequestId& id) const;
  Keys Below(const IdentityKey& owner) const;
  Keys Below(uint64_t collection) const;
  // All below `owner` but the `most` latest.
  std::vector<RequestKey> OldestBelow(const IdentityKey& owner, size_t most) const;
  // Times of creation in microseconds, with the ids; the oldest first.
  const ByAge& by_age() const { return by_age_; }

 private:
  ById by_id_;
  ByOwner by_owner_;
  ByAge by_age_;
};

}  // namespace facegate
