#include "index/store/store_change.h"

namespace facegate {

ErasedKeys ErasedBy(const StoreChange& change) {
  ErasedKeys erased;
  for (const uint64_t uid : change.deleted_collections) {
    for (const Family family :
         {Family::kCollections, Family::kIdentities, Family::kTemplates, Family::kCrops}) {
      erased[family].Add(RangeOf(uid));
    }
  }
  for (const IdentityKey& key : change.deleted_identities) {
    erased[Family::kIdentities].Add(RangeOf(key));
  }
  for (const RequestKey& key : change.deleted_requests) {
    erased[Family::kRequests].Add(RangeOf(key.owner));
  }
  if (change.erases_overwritten) {
    for (const StoredIdentity& identity : change.identities) {
      erased[Family::kIdentities].Add(RangeOf(identity.key));
    }
  }
  return erased;
}

bool TakesAway(const StoreChange& change) {
  const bool deletes = !change.deleted_collections.empty() || !change.deleted_identities.empty() ||
                       !change.deleted_templates.empty() || !change.deleted_requests.empty();
  const bool records =
      !change.collections.empty() || !change.identities.empty() || !change.requests.empty();
  return change.templates.empty() && (deletes || !records);
}

}  // namespace facegate
