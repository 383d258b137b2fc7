#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/photo_job.h"

namespace facegate {

struct FolderReport : PhotoJobReport {
  size_t kept_photos = 0;      // that an interrupted run had written
  size_t renamed_folders = 0;  // whose identities have names that folders cannot have
};

// Writes the bytes of all readable photos of the sources to OUT/IDENTITY/NNNNNN.EXT: numbers from 1
// on are those of the identity's photos, and the ending is that of the bytes. All is written to
// OUT.partial, which gets its name at the end; the next run over the same sources keeps what an
// interrupted one has left there, as far as the bytes are the same, and takes away what is not of
// this set. kFailedPrecondition when OUT exists, when another process writes to it, and when
// OUT.partial is something else.
StatusOr<FolderReport> WriteFolder(const PhotoJobOptions& options, const std::string& out,
                                   const PhotoJobEvents& events);

// Names of folders for identities, one for each and each another: signs that cannot stand in the
// name of a folder become "_", and so does a dot in front.
std::vector<std::string> FolderNames(std::span<const std::string> identities);

}  // namespace facegate
