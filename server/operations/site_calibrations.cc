#include "server/operations/site_calibrations.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "face/base/catch.h"
#include "face/decide/calibration_builder.h"

namespace facegate {
namespace {

constexpr uint64_t kSeed = 1;
constexpr std::chrono::seconds kTryAgainAfter{2};

// Hands the scores of a collection to a builder.
class BuilderSink final : public ScoreSink {
 public:
  Status Begin(size_t identities, size_t templates) override {
    if (identities < Calibration::kLeastPeople) {
      return Refuse(Reason::kCalibrationUnsupported,
                    fmt::format("the collection has {} identities with templates that can be "
                                "compared, a calibration needs {}",
                                identities, Calibration::kLeastPeople));
    }
    templates_ = templates;
    FACEGATE_ASSIGN_OR_RETURN(CalibrationBuilder builder,
                              CalibrationBuilder::Create(identities, templates));
    builder_.emplace(std::move(builder));
    return OkStatus();
  }
  Status AddTemplate(size_t identity, std::span<const float> scores) override {
    return builder_->AddProbe(identity, scores);
  }
  Status AddPair(size_t identity, float score) override {
    return builder_->AddGenuine(identity, score);
  }

  StatusOr<Calibration> Finish(const CollectionInfo& collection, double probe_quality,
                               const StopCheck& stop) const {
    return builder_->Finish({.set = "the collection's own identities",
                             .model_digest = collection.model.model_digest,
                             .preprocessing_digest = collection.model.preprocessing_digest,
                             .probe_quality = probe_quality,
                             .photos = templates_,
                             .photos_left_out = 0},
                            stop);
  }

 private:
  size_t templates_ = 0;
  std::optional<CalibrationBuilder> builder_;
};

bool IsOutdated(uint64_t then, uint64_t now) {
  const double change = std::abs(static_cast<double>(now) - static_cast<double>(then));
  return change >= SiteCalibrations::kOutdatedFrom * static_cast<double>(then);
}

}  // namespace

StatusOr<std::shared_ptr<const Calibration>> SiteCalibrations::Make(
    const CollectionInfo& collection, double probe_quality, const StopCheck& stop) const {
  BuilderSink sink;
  FACEGATE_RETURN_IF_ERROR(
      gallery_.CompareIdentities(collection.id, kMostSampledComparisons, kSeed, sink, stop));
  FACEGATE_ASSIGN_OR_RETURN(Calibration made, sink.Finish(collection, probe_quality, stop));
  return std::make_shared<const Calibration>(std::move(made));
}

SiteCalibrations::Entry& SiteCalibrations::EntryOf(const CollectionInfo& collection) {
  if (const auto found = entries_.find(collection.id); found != entries_.end()) {
    return found->second;
  }
  for (auto it = entries_.begin(); entries_.size() >= kMostKept && it != entries_.end();) {
    it = it->second.at_work ? std::next(it) : entries_.erase(it);
  }
  return entries_[collection.id];
}

StatusOr<std::shared_ptr<const Calibration>> SiteCalibrations::Of(const CollectionInfo& collection,
                                                                  double probe_quality,
                                                                  const StopCheck& stop) {
  {
    const MutexLock lock(mutex_);
    Entry& entry = EntryOf(collection);
    if (entry.create_time_us != collection.create_time_us) {
      entry = Entry{.create_time_us = collection.create_time_us};
    }
    const bool outdated = entry.calibration == nullptr ||
                          entry.calibration->probe_quality != probe_quality ||
                          IsOutdated(entry.identities, collection.identity_count);
    if (!outdated || (entry.at_work && entry.calibration != nullptr)) return entry.calibration;
    if (entry.at_work) {
      return WithRetryAfter(
          Refuse(Reason::kNotReady, "the collection is being calibrated at this moment"),
          kTryAgainAfter);
    }
    entry.at_work = true;
  }
  auto made = CatchToStatus("calibrating", [&] { return Make(collection, probe_quality, stop); });
  const MutexLock lock(mutex_);
  Entry& entry = EntryOf(collection);
  if (entry.create_time_us != collection.create_time_us) return made;
  entry.at_work = false;
  if (made.ok()) {
    entry.calibration = *made;
    entry.identities = collection.identity_count;
  }
  return made;
}

}  // namespace facegate
