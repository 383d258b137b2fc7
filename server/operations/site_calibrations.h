#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "face/base/mutex.h"
#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/decide/calibration.h"
#include "index/gallery.h"

namespace facegate {

// What collections know of thresholds by themselves: the scores between their own identities, on
// their own cameras. Two identities of a collection are taken for two people; where one person is
// enrolled twice, his scores with himself count as false matches, so that rates are rather too high
// than too low. Nothing but counts is kept, in memory alone. Thread-safe.
class SiteCalibrations {
 public:
  // A calibration is made again when the collection has so much more or fewer identities.
  static constexpr double kOutdatedFrom = 0.1;
  // Of so many collections they are kept.
  static constexpr size_t kMostKept = 256;

  // `gallery` outlives it.
  explicit SiteCalibrations(const Gallery& gallery) : gallery_(gallery) {}

  // Makes it where there is none or it is outdated, which compares up to 10,000,000 pairs of
  // templates on the calling thread. While another call makes it, the outdated one is given, and
  // where there is none kNotReady, with a time after which to try again. kCalibrationUnsupported
  // for fewer than Calibration::kLeastPeople identities; what `stop` says when it says so.
  StatusOr<std::shared_ptr<const Calibration>> Of(const CollectionInfo& collection,
                                                  double probe_quality, const StopCheck& stop);

 private:
  struct Entry {
    int64_t create_time_us = 0;  // of the collection: another one may get its id
    uint64_t identities = 0;
    std::shared_ptr<const Calibration> calibration{};
    bool at_work = false;
  };

  StatusOr<std::shared_ptr<const Calibration>> Make(const CollectionInfo& collection,
                                                    double probe_quality,
                                                    const StopCheck& stop) const;

  // The collection's entry; makes room for a new one.
  Entry& EntryOf(const CollectionInfo& collection) FACEGATE_REQUIRES(mutex_);

  const Gallery& gallery_;
  Mutex mutex_;
  // Of collections that are there, and of some that were.
  std::map<std::string, Entry> entries_ FACEGATE_GUARDED_BY(mutex_);
};

}  // namespace facegate
