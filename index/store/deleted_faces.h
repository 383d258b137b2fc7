#pragma once

#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "index/store/key_codec.h"
#include "index/store/store_change.h"
#include "index/store/store_database.h"

namespace facegate {

// A row of a face that a change deletes: a template of any generation, or the crop.
struct FaceRow {
  Family family = Family::kTemplates;
  IdentityKey owner;
  std::string key;
  // Where the face moves, unless the change puts that row itself: the key that the row gets.
  std::optional<std::string> moved_to{};
  std::string payload{};  // of a row that moves
};

// Looks for all rows of the faces that `change` deletes below identities. Few are there for each:
// they are read, not deleted by range, because RocksDB looks at all its range deletions again after
// each new one.
StatusOr<std::vector<FaceRow>> FindDeletedFaces(const StoreDatabase& database,
                                                const StoreChange& change);

}  // namespace facegate
