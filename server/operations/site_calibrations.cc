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
  Status Begin(size_t identities, size_t templates, size_t left_out) override {
    if (identities < Calibration::kLeastPeople) {
      return Refuse(Reason::kCalibrationUnsupported,
                    fmt::format("the collection has {} identities with templates that can be "
                                "compared, a calibration needs {}",
                                identities, Calibration::kLeastPeople));
    }
    templates_ = templates;
    left_out_ = left_out;
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
                             .photos = templates_ + left_out_,
                             .photos_left_out = left_out_},
                            stop);
  }

 private:
  size_t templates_ = 0;
  size_t left_out_ = 0;
  std::optional<CalibrationBuilder> builder_;
};

bool HasChanged(uint64_t then, uint64_t now) {
  const double change = std::abs(static_cast<double>(now) - static_cast<double>(then));
  return change >= SiteCalibrations::kOutdatedFrom * static_cast<double>(then);
}

}  // namespace

StatusOr<std::shared_ptr<const Calibration>> SiteCalibrations::Make(
    const CollectionInfo& collection, double probe_quality, const StopCheck& stop) const {
  BuilderSink sink;
  FACEGATE_RETURN_IF_ERROR(gallery_.CompareIdentities(
      collection.id,
      {.most_comparisons = kMostSampledComparisons, .seed = kSeed, .least_quality = probe_quality},
      sink, stop));
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

bool SiteCalibrations::IsOutdated(const Entry& entry, const CollectionInfo& collection) const {
  return HasChanged(entry.identities, collection.identity_count) ||
         HasChanged(entry.templates, collection.template_count) ||
         clock_.Now() - entry.made >= kOutdatedAfter;
}

StatusOr<std::optional<std::shared_ptr<const Calibration>>> SiteCalibrations::Begin(
    const CollectionInfo& collection, double probe_quality) {
  using Known = std::optional<std::shared_ptr<const Calibration>>;
  const MutexLock lock(mutex_);
  Entry& entry = EntryOf(collection);
  if (entry.create_time_us != collection.create_time_us) {
    entry = Entry{.create_time_us = collection.create_time_us};
  }
  const bool usable = entry.calibration != nullptr && entry.probe_quality == probe_quality;
  if (usable && (entry.at_work || !IsOutdated(entry, collection))) return Known(entry.calibration);
  if (entry.at_work) {
    return WithRetryAfter(
        Refuse(Reason::kQueueFull, "the collection is being calibrated at this moment"),
        kTryAgainAfter);
  }
  entry.at_work = true;
  return Known();
}

StatusOr<std::shared_ptr<const Calibration>> SiteCalibrations::Of(const CollectionInfo& collection,
                                                                  double probe_quality,
                                                                  const StopCheck& stop) {
  if (collection.settings.duplicate_fmr.has_value()) {
    return Refuse(Reason::kCalibrationUnsupported,
                  "the collection's duplicate_fmr keeps out whoever is like somebody else, so that "
                  "its own scores say nothing of strangers; the model card's do");
  }
  FACEGATE_ASSIGN_OR_RETURN(const auto known, Begin(collection, probe_quality));
  if (known.has_value()) return *known;
  auto made = CatchToStatus("calibrating", [&] { return Make(collection, probe_quality, stop); });
  const MutexLock lock(mutex_);
  Entry& entry = EntryOf(collection);
  if (entry.create_time_us != collection.create_time_us) return made;  // another has its id now
  entry.at_work = false;
  if (made.ok()) {
    entry = {.create_time_us = collection.create_time_us,
             .identities = collection.identity_count,
             .templates = collection.template_count,
             .probe_quality = probe_quality,
             .made = clock_.Now(),
             .calibration = *made,
             .at_work = false};
    return made;
  }
  const bool usable = entry.calibration != nullptr && entry.probe_quality == probe_quality;
  if (usable) return entry.calibration;
  return made;
}

}  // namespace facegate
