#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "index/store/key_codec.h"
#include "index/store/key_range.h"
#include "index/store/template_record.h"

namespace facegate {

// One change of the store. What is to be deleted goes first, then the records are put, over those
// that have their keys.
//
// A face goes with its templates of all generations and with its crop, whether or not the caller
// knows of them: nobody else may change it meanwhile. Where a template with its number is put below
// another identity, the face moves: what there is of it besides goes along.
struct StoreChange {
  // With their identities and all faces, but without their requests.
  std::vector<uint64_t> deleted_collections;
  std::vector<IdentityKey> deleted_identities;  // with all faces, but without their requests
  std::vector<FaceKey> deleted_templates;
  std::vector<RequestKey> deleted_requests;

  std::vector<StoredCollection> collections;
  std::vector<StoredIdentity> identities;
  std::vector<StoredTemplate> templates;
  std::vector<StoredRequest> requests;

  // The identities that are put over others replace what must leave the files too: an id, labels.
  bool erases_overwritten = false;
  // The ledger's time (index/request_ledger.h).
  std::optional<int64_t> request_time_us;
};

// The places in which `change` deletes or overwrites what must leave the files, but for the faces
// of identities: StoreBatch finds out whether there are any.
ErasedKeys ErasedBy(const StoreChange& change);

// Tells whether the change makes room on the disk rather than needs some. A deletion may put
// records, too, of what is left; what has templates needs room in any case.
bool TakesAway(const StoreChange& change);

}  // namespace facegate
