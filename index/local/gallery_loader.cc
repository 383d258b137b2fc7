#include "index/local/gallery_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "face/base/catch.h"
#include "face/base/log.h"
#include "index/store/corrupt.h"

namespace facegate {
namespace {

// Work for one thread at a time; small enough that threads end together.
constexpr size_t kIdentitiesPerPart = 2048;

class Loader {
 public:
  explicit Loader(const GalleryParts& parts) : parts_(parts) {}

  Status ReadCollections() {
    return parts_.store.ReadCollections([this](StoredCollection stored) -> Status {
      const uint64_t uid = stored.uid;
      if (stored.deleted) {
        deleted_.insert(uid);
        parts_.ledger.LoadDeleted(uid);
        return OkStatus();
      }
      auto collection = std::make_shared<Collection>(std::move(stored), parts_);
      by_uid_.emplace(uid, collection.get());
      if (!collections_.emplace(collection->record().id, collection).second) {
        return Corrupt(DescribeKey(uid) + ": its id is given twice");
      }
      return OkStatus();
    });
  }

  Status ReadIdentities() {
    return parts_.store.ReadIdentities([this](StoredIdentity stored) -> Status {
      if (!by_uid_.contains(stored.key.collection)) {
        return Corrupt(DescribeKey(stored.key) + ": there is no such collection");
      }
      identities_.push_back(std::move(stored));
      return OkStatus();
    });
  }

  // The parts cover all keys there can be, so that a template without its identity is found, too.
  Status ReadTemplates(size_t threads) {
    const size_t parts =
        std::max<size_t>(1, (identities_.size() + kIdentitiesPerPart - 1) / kIdentitiesPerPart);
    std::vector<Status> results(parts);
    std::atomic<size_t> next_part{0};
    std::atomic<bool> failed{false};
    const auto work = [&] {
      for (size_t part = next_part++; part < parts && !failed; part = next_part++) {
        results[part] = CatchToStatus("loading the gallery", [&] { return ReadPart(part, parts); });
        if (!results[part].ok()) failed = true;
      }
    };
    {
      std::vector<std::jthread> others;
      for (size_t i = 1; i < std::min(threads, parts); ++i) others.emplace_back(work);
      work();
    }
    for (const Status& result : results) FACEGATE_RETURN_IF_ERROR(result);
    if (const uint64_t count = of_other_generations_; count > 0) {
      LogWarning(
          "gallery: {} templates are of another generation than their collection: they were left "
          "by a change of the model that did not end, count for nothing, and go with their "
          "identities",
          count);
    }
    return OkStatus();
  }

  Status ReadRequests() {
    return parts_.store.ReadRequests({}, std::nullopt, [this](const StoredRequest& stored) {
      const IdentityKey& owner = stored.key.owner;
      if (!deleted_.contains(owner.collection)) FACEGATE_RETURN_IF_ERROR(CheckOwner(stored.key));
      return parts_.ledger.Load(stored.key, stored.create_time_us);
    });
  }

  Status ReadRequestTime() {
    FACEGATE_ASSIGN_OR_RETURN(const auto time, parts_.store.ReadRequestTime());
    parts_.ledger.Loaded(time);
    return OkStatus();
  }

  Collections TakeCollections() { return std::move(collections_); }

 private:
  Status ReadPart(size_t part, size_t parts) {
    const size_t begin = part * kIdentitiesPerPart;
    const size_t end = std::min(identities_.size(), begin + kIdentitiesPerPart);
    const IdentityKey from = part == 0 ? IdentityKey{} : identities_[begin].key;
    std::optional<IdentityKey> until;
    if (part + 1 < parts) until = identities_[end].key;

    // Templates come in the order of their owners: each finds its own further on.
    size_t owner = begin;
    std::vector<StoredTemplate> templates;
    const auto visit = [&](StoredTemplate stored) -> Status {
      while (owner < end && identities_[owner].key < stored.key.owner) {
        FACEGATE_RETURN_IF_ERROR(AddIdentity(identities_[owner++], templates));
        templates.clear();
      }
      if (owner == end || identities_[owner].key != stored.key.owner) {
        return CorruptTemplate(stored, "there is no such identity");
      }
      if (stored.key.generation == GenerationOf(identities_[owner])) {
        templates.push_back(std::move(stored));
      } else {
        of_other_generations_ += 1;
      }
      return OkStatus();
    };
    FACEGATE_RETURN_IF_ERROR(parts_.store.ReadTemplates(from, until, visit));
    for (; owner < end; ++owner) {
      FACEGATE_RETURN_IF_ERROR(AddIdentity(identities_[owner], templates));
      templates.clear();
    }
    return OkStatus();
  }

  Status AddIdentity(const StoredIdentity& identity, const std::vector<StoredTemplate>& templates) {
    Collection& collection = *by_uid_.at(identity.key.collection);
    const StoredCollection& record = collection.record();
    for (const StoredTemplate& stored : templates) {
      if (stored.embedding.size() != static_cast<size_t>(record.embedding_size)) {
        return CorruptTemplate(stored,
                               fmt::format("embedding has {} values, the collection's have {}",
                                           stored.embedding.size(), record.embedding_size));
      }
      if (stored.model != record.model) {
        return CorruptTemplate(stored, "it is of another model than the collection");
      }
    }
    return collection.Load(identity, templates);
  }

  uint32_t GenerationOf(const StoredIdentity& identity) const {
    return by_uid_.at(identity.key.collection)->record().generation;
  }

  Status CheckOwner(const RequestKey& key) const {
    if (key.owner.collection != 0 && !by_uid_.contains(key.owner.collection)) {
      return Corrupt(DescribeKey(key) + ": there is no such collection");
    }
    if (key.owner.identity != 0 && !HasIdentity(key.owner)) {
      return Corrupt(DescribeKey(key) + ": there is no such identity");
    }
    return OkStatus();
  }

  bool HasIdentity(const IdentityKey& key) const {
    const auto place = std::lower_bound(
        identities_.begin(), identities_.end(), key,
        [](const StoredIdentity& one, const IdentityKey& wanted) { return one.key < wanted; });
    return place != identities_.end() && place->key == key;
  }

  static Status CorruptTemplate(const StoredTemplate& stored, std::string_view what) {
    return Corrupt(fmt::format("{}: {}", DescribeKey(stored.key), what));
  }

  const GalleryParts& parts_;
  Collections collections_;
  std::unordered_map<uint64_t, Collection*> by_uid_;
  std::unordered_set<uint64_t> deleted_;    // collections of which requests are left
  std::vector<StoredIdentity> identities_;  // in the order of keys
  std::atomic<uint64_t> of_other_generations_{0};
};

}  // namespace

StatusOr<Collections> LoadCollections(const GalleryParts& parts, size_t threads) {
  Loader loader(parts);
  FACEGATE_RETURN_IF_ERROR(loader.ReadCollections());
  FACEGATE_RETURN_IF_ERROR(loader.ReadIdentities());
  FACEGATE_RETURN_IF_ERROR(loader.ReadTemplates(threads));
  FACEGATE_RETURN_IF_ERROR(loader.ReadRequests());
  FACEGATE_RETURN_IF_ERROR(loader.ReadRequestTime());
  return loader.TakeCollections();
}

}  // namespace facegate
