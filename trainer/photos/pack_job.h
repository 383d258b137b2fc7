#pragma once

#include <cstddef>
#include <string>

#include "face/base/status.h"
#include "trainer/photos/pack_writer.h"
#include "trainer/photos/photo_job.h"

namespace facegate {

struct PackOptions : PhotoJobOptions {
  std::string out{};
};

struct PackReport : PhotoJobReport {
  PackSummary pack{};
  size_t continued_from = 0;  // records of an interrupted run
};

// Writes all readable photos of the sources into one pack, an identity after another.
StatusOr<PackReport> WritePack(const PackOptions& options, const PhotoJobEvents& events);

}  // namespace facegate
