#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "face/base/clock.h"
#include "face/base/mutex.h"
#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/decide/calibration.h"
#include "index/gallery.h"

namespace facegate {

// Makes and keeps the calibrations that collections have of their own: from the scores between
// their identities, on their own cameras. Two identities of a collection are taken for two people:
// where one person is enrolled twice, his scores with himself count as false matches, so that rates
// are rather too high. Where a guard kept out whoever is alike, they are too low: see Of(). Nothing
// but counts is kept, in memory alone. Thread-safe.
class SiteCalibrations {
 public:
  // A calibration is made again when the collection has so much more or fewer identities or
  // templates, and when it is an hour old.
  static constexpr double kOutdatedFrom = 0.1;
  static constexpr std::chrono::hours kOutdatedAfter{1};
  // Calibrations of at most so many collections are kept.
  static constexpr size_t kMostKept = 256;

  // Both outlive it.
  SiteCalibrations(const Gallery& gallery, const Clock& clock) : gallery_(gallery), clock_(clock) {}

  // Makes it where there is none or it is outdated, which compares up to 10,000,000 pairs of
  // templates on the calling thread. While another call makes it, or where it cannot be made, the
  // outdated one is given; where there is none, kQueueFull with a time after which to try again, or
  // why it cannot be made. Templates that are known to be below `probe_quality` take no part.
  // kCalibrationUnsupported for fewer than Calibration::kLeastPeople identities, and for a
  // collection with a guard against duplicates: whoever is like somebody else was kept out of it,
  // so that its scores say nothing of strangers. (Nor do they where the guard was there before and
  // is no more.) What `stop` says when it says so.
  StatusOr<std::shared_ptr<const Calibration>> Of(const CollectionInfo& collection,
                                                  double probe_quality, const StopCheck& stop);

 private:
  struct Entry {
    int64_t create_time_us = 0;  // of the collection: another one may get its id
    uint64_t identities = 0;
    uint64_t templates = 0;
    double probe_quality = 0.0;
    Clock::TimePoint made{};
    std::shared_ptr<const Calibration> calibration{};
    bool at_work = false;
  };

  // The one that is there and good enough; nothing where the caller is to make one, which is noted.
  StatusOr<std::optional<std::shared_ptr<const Calibration>>> Begin(
      const CollectionInfo& collection, double probe_quality);
  StatusOr<std::shared_ptr<const Calibration>> Make(const CollectionInfo& collection,
                                                    double probe_quality,
                                                    const StopCheck& stop) const;
  bool IsOutdated(const Entry& entry, const CollectionInfo& collection) const;
  // The collection's entry; makes room for a new one.
  Entry& EntryOf(const CollectionInfo& collection) FACEGATE_REQUIRES(mutex_);

  const Gallery& gallery_;
  const Clock& clock_;
  Mutex mutex_;
  // Entries of collections that are there, and of some that were.
  std::map<std::string, Entry> entries_ FACEGATE_GUARDED_BY(mutex_);
};

}  // namespace facegate
