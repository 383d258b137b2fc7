#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "index/rows/approximate/taken_rows.h"

namespace facegate {

// A recall is measured by searches for so many rows, among which so many best ones should be.
inline constexpr size_t kMeasuredWanted = 64;
inline constexpr size_t kMeasuredBest = 10;

struct MeasuredRecall {
  size_t effort = 0;             // the least that finds enough, or the greatest that there is
  std::optional<double> recall;  // with it; nothing where there is no row
};

// Looks harder and harder for what is nearest to vectors near some of the rows, until `wanted` of
// it is found.
// What was taken is asked for again and again with `current`: while `between` is asked, every few
// milliseconds, rows may move and go, but no part may come or go. Throws std::bad_alloc.
StatusOr<MeasuredRecall> MeasureRecall(
    const std::function<std::shared_ptr<const TakenRows>()>& current, double wanted,
    size_t dimension, const StopCheck& between);

}  // namespace facegate
