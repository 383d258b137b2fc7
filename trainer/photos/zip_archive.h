#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/archive_member.h"
#include "trainer/photos/photo_files.h"

// Zip archives (PKWARE's APPNOTE.TXT 6.3.10, with zip64), read from the directory at their end.
// Stored and deflated files are read; nothing here touches files, and any bytes are taken.
namespace facegate {

// True when a file begins as an archive does.
bool LooksLikeZip(std::string_view start);

// The files of the archive in the order of its directory. Links, encrypted files and those packed
// in another way are added to `left_out`. kInvalidArgument for an archive in several parts,
// kDataLoss for one that has no end or is damaged, or whose files share bytes: a few bytes could
// stand for any number of files otherwise.
StatusOr<std::vector<ArchiveMember>> ListZip(std::string_view bytes, LeftOut& left_out);

// The first `most` bytes of a member. kDataLoss where it is damaged; its sum is checked where it is
// read whole.
StatusOr<std::string> ReadZipMember(std::string_view bytes, const ArchiveMember& member,
                                    size_t most);

}  // namespace facegate
