#pragma once

#include <cstdint>
#include <string>

namespace facegate {

// A file in an archive that is read where it lies. Its name is text that tells files apart and
// nothing more: no path is made of it.
struct ArchiveMember {
  std::string name;           // with "/" between folders
  uint64_t offset = 0;        // tar: of its bytes; zip: of its local header
  uint64_t stored_bytes = 0;  // in the archive
  uint64_t bytes = 0;         // unpacked
  bool is_deflated = false;
  uint32_t crc32 = 0;  // zip alone: of the unpacked bytes
};

}  // namespace facegate
