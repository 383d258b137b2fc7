#pragma once

#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/archive_member.h"
#include "trainer/photos/photo_files.h"

// Tar archives that are not compressed: ustar and pax (POSIX.1-2017, pax), and GNU's long names and
// large numbers (GNU tar's manual, "Basic Tar Format"). Nothing here touches files, and any bytes
// are taken.
namespace facegate {

// True when a file begins as an archive does.
bool LooksLikeTar(std::string_view start);

// The files of the archive in its order. Links and whatever else is no plain file are added to
// `left_out`. An archive ends with blocks of zeros; what follows them would be left out without a
// word. kDataLoss, naming the byte, for an archive that is cut off or damaged, or that goes on
// behind its end.
StatusOr<std::vector<ArchiveMember>> ListTar(std::string_view bytes, LeftOut& left_out);

}  // namespace facegate
