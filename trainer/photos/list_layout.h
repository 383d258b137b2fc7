#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "trainer/photos/photo_finder.h"
#include "trainer/photos/text_table.h"

namespace facegate {

// Says where a list of photos has what.
struct ListLayout {
  Separator separator = Separator::kLastBlank;
  size_t path_column = 0;
  std::optional<size_t> label_column = 1;  // nothing for a list of photos alone
  bool has_header = false;                 // the first row names the columns
  // Tells people what was made of a header, or of fields behind the label; empty without them.
  std::string remark;

  // "PATH LABEL", "LABEL;PATH" and so on.
  std::string Expected() const;
};

enum class LabelRule {
  kNeeded,   // each line has a photo and an identity
  kOptional  // or a photo alone
};

// Decides by the first hundred rows, under each separator: the right one is that under which a
// column with photos is named so by the first row, then that under which the most rows have a photo
// that is there, then one whose name ends like a picture's, then the same number of fields. A first
// row without a photo, where others have one, is a header, as is one of usual names
// ("filename,person"). Words behind "PATH LABEL" are further columns where each line
// has as many and the labels, or the words behind, are numbers. kInvalidArgument when no row can be
// read in any way.
StatusOr<ListLayout> LayoutOfList(std::string_view text, PhotoFinder& finder, LabelRule rule);

// True when a column of this name holds what identities are called ("identity_name", "class"):
// never one that holds photos.
bool NamesLabels(std::string_view column);
// True when it holds photos ("img_path", "filename").
bool NamesPhotos(std::string_view column);

}  // namespace facegate
