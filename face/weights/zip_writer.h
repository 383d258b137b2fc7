#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "face/base/status.h"

namespace facegate {

// Writes a zip archive (PKWARE APPNOTE 6.3) of stored entries, as torch.save does: the content of
// each begins at a multiple of 64 bytes, behind an extra field "FB" of padding in its local header.
// The same calls give the same bytes: all times are that of the format's beginning.
class ZipWriter {
 public:
  // Appends an entry. Names are UTF-8 of 1 to 65535 bytes, each once. kInvalidArgument where the
  // archive would have 4 GiB or more, or more than 65534 entries: it would need zip64 records,
  // which are not written.
  Status Add(std::string_view name, std::string_view content);

  // Appends the directory and returns the archive; the writer is empty then.
  std::string Finish();

 private:
  std::string archive_;
  std::string directory_;
  uint32_t entries_ = 0;
};

}  // namespace facegate
