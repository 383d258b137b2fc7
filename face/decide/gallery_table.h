#pragma once

#include <cstdint>
#include <vector>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/decide/calibration.h"
#include "face/decide/score_matrix.h"

namespace facegate {

// The level below which gallery tables look at no comparison: a tenth of all come above it.
uint16_t FloorOfGalleries(const ScoreMatrix& matrix);

// The distribution of the highest score of a stranger's photo in galleries of 10, 20, 50, 100 … of
// the people, up to half of them: the mean over all galleries of so many that can be drawn from the
// others, which is exact and needs no draw. `matched` holds the comparisons above
// FloorOfGalleries(). What `stop` says when it says so.
StatusOr<std::vector<GalleryTable>> MakeGalleryTables(const ScoreMatrix& matrix,
                                                      const MatchedPairs& matched,
                                                      const StopCheck& stop);

}  // namespace facegate
