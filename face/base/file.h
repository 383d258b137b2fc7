#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "face/base/status.h"

namespace facegate {

// The whole file. kNotFound when it is absent, kInvalidArgument when it is larger than `max_bytes`
// or is not a regular file; the messages name the path.
StatusOr<std::string> ReadFile(const std::string& path, uint64_t max_bytes);

// Writes beside `path`, syncs and renames over it: a reader sees the old or the new file, also
// after a crash. A link at `path` is replaced, not followed.
Status WriteFileAtomically(const std::string& path, std::string_view bytes);

// Makes what was renamed, made or removed in the folder of `path` survive a power loss.
Status SyncFolderOf(const std::string& path);

}  // namespace facegate
