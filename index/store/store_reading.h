#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "index/store/key_codec.h"
#include "index/store/key_range.h"
#include "index/store/store_database.h"

namespace facegate {

// The payload under the key, or nothing.
StatusOr<std::optional<std::string>> ReadValue(const StoreDatabase& database, Family family,
                                               std::string_view key);
// The same of Family::kMeta; errors name the record.
StatusOr<std::optional<std::string>> ReadMetaValue(const StoreDatabase& database,
                                                   std::string_view key);

// Gets a key and the value, an envelope, as they are on disk.
using RowVisitor = std::function<Status(std::string_view key, std::string_view value)>;

// How much is read ahead of a scan of all that there is; 0 for a few rows.
inline constexpr size_t kScanReadAhead = size_t{2} << 20;

// Calls `visit` for each row of `range`, as it is now, in the order of keys, up to the first error.
Status VisitRows(const StoreDatabase& database, Family family, const KeyRange& range,
                 size_t read_ahead, const RowVisitor& visit);

// The refusal of a key that is none of its family.
Status NoSuchKey(Family family, std::string_view key);

}  // namespace facegate
