#pragma once

#include <string>
#include <string_view>

#include "face/base/status.h"

namespace facegate {

// Makes the store's directory where absent, readable by its owner alone and lasting through a power
// loss. kStoreCorrupt when it holds a store's data files but not the file CURRENT that tells which
// of them count: opening such a directory would begin an empty store over the old one. The same
// when the write-ahead log is missing, with which RocksDB would open without what is in it.
Status PrepareStoreDirectory(const std::string& directory);

// Notes in the file kLogNote, for PrepareStoreDirectory(), that the directory holds the write-ahead
// log that is there now, or a later one; to be called while the store is open, after each change of
// logs. A note that comes late, or not at all, is none that misleads: logs are numbered upwards,
// and there is always one.
Status NoteLog(const std::string& directory);
inline constexpr char kLogNote[] = "LIVE_LOG";

// True when RocksDB's text for an opening that failed says that a process, this one included, has
// the store open. Other troubles with the file LOCK (no permission, a file system without locks)
// are none of that.
bool SaysThatLockIsHeld(std::string_view rocksdb_text);

}  // namespace facegate
