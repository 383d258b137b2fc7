#include "trainer/align/align_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "face/base/append_file.h"
#include "face/base/counted.h"
#include "face/base/file.h"
#include "face/base/folder_lock.h"
#include "face/image/encode.h"
#include "face/image/mat_pixels.h"
#include "face/image/opencv_threads.h"
#include "trainer/align/crop_names.h"
#include "trainer/align/crop_store.h"
#include "trainer/align/dropped_sheet.h"
#include "trainer/align/manifest.h"
#include "trainer/align/output_place.h"
#include "trainer/align/staged_folder.h"
#include "trainer/align/work_record.h"
#include "trainer/photos/ordered_work.h"
#include "trainer/photos/source_set.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxManifestBytes = 16ULL << 30;
constexpr uint64_t kMaxRecordBytes = 16ULL << 20;
// Photos that are cut beyond the one that is written down, for each thread.
constexpr size_t kAheadPerThread = 4;
// What was done since is done again after a kill.
constexpr std::chrono::seconds kSyncEvery(1);

bool Exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

WorkRecord RecordOf(const AlignOptions& options, const PhotoCutter& cutter, const SourceSet& set,
                    const CropPlan& plan) {
  const CropView& view = options.cut.view;
  const std::string quarantine = options.quarantine.empty() ? "beside" : options.quarantine;
  return {.kind = "facegate_align",
          .file = std::string(kRecordName),
          .settings = {{"size", fmt::format("{}x{}", view.size.width, view.size.height)},
                       {"template", std::string(AlignmentName(view.alignment))},
                       {"format", options.format == ImageFormat::kJpeg ? "jpg" : "png"},
                       {"faces found by", cutter.description()},
                       {"face", std::string(FaceChoiceName(options.cut.choice))},
                       {"without a face", options.cut.fallback ? "centre" : "drop"},
                       {"quarantine", options.use_quarantine ? quarantine : "none"},
                       {"photos", std::to_string(plan.photos.size())},
                       {"names of photos", plan.digest}},
          .later = {{"sizes of photos", SizesDigest(set, plan, options.sources)}},
          .sources = options.sources};
}

// What became of a photo.
struct DonePhoto {
  std::vector<ManifestRow> rows;
  std::vector<std::string> images;  // encoded crops of the rows that have one
};

// One run over a set of photos.
class AlignRun {
 public:
  AlignRun(const AlignOptions& options, const AlignEvents& events, const OutputPlace& place,
           const SourceSet& set, const PhotoCutter& cutter)
      : options_(options),
        events_(events),
        set_(set),
        cutter_(cutter),
        plan_(PlanCrops(set)),
        place_(place),
        folder_(place_.folder),
        quarantine_(place_.quarantine),
        kept_(plan_.folders.size(), 0) {
    report_.photos = plan_.photos.size();
    report_.remarks = set.remarks;
    report_.manifest = folder_.PathOf(kManifestName);
  }

  StatusOr<AlignReport> Run() {
    FACEGATE_RETURN_IF_ERROR(TakeFolder());
    FACEGATE_RETURN_IF_ERROR(GoOn());
    report_.resumed = done_;
    if (events_.started) events_.started(plan_.photos.size() - done_);
    if (!written_) FACEGATE_RETURN_IF_ERROR(CutAll());
    FACEGATE_RETURN_IF_ERROR(Finish());
    return Report();
  }

 private:
  Status TakeFolder() {
    const std::string record_path = folder_.PathOf(kRecordName);
    const bool begun = Exists(record_path);
    if (!begun) FACEGATE_RETURN_IF_ERROR(CheckUnused(place_, options_.use_quarantine));
    FACEGATE_RETURN_IF_ERROR(folder_.Make());
    FACEGATE_ASSIGN_OR_RETURN(FolderLock lock, FolderLock::Take(folder_.UnfinishedPath()));
    lock_ = std::make_unique<FolderLock>(std::move(lock));
    FACEGATE_RETURN_IF_ERROR(folder_.Clear(begun ? kManifestName : ""));
    FACEGATE_RETURN_IF_ERROR(quarantine_.Clear(""));
    const WorkRecord record = RecordOf(options_, cutter_, set_, plan_);
    if (begun) {
      FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadFile(record_path, kMaxRecordBytes));
      FACEGATE_RETURN_IF_ERROR(CheckRecord(text, record, place_.out));
      if (text == RecordText(record)) return OkStatus();
    }
    return folder_.Put(std::string(kRecordName), RecordText(record));
  }

  // Takes up what an earlier run left: the photos of which the manifest tells and the crops are
  // there.
  Status GoOn() {
    const bool whole = Exists(report_.manifest);
    // The pack gets its name last of all.
    const bool packed = place_.is_pack && Exists(place_.out);
    if (packed && !whole) {
      return FailedPrecondition(fmt::format("{} exists; give another OUT", place_.out));
    }
    if (!place_.is_pack) {
      store_ = MakeFolderStore(folder_);
    } else if (!packed) {
      FACEGATE_ASSIGN_OR_RETURN(store_, OpenPackStore(place_.out));
    }
    const std::string growing = folder_.UnfinishedPath(kManifestName);
    StatusOr<std::string> text = ReadFile(whole ? report_.manifest : growing, kMaxManifestBytes);
    if (text.status().code() == StatusCode::kNotFound) text = std::string();
    FACEGATE_RETURN_IF_ERROR(text.status());
    size_t end = 0;
    ManifestReader reader(*text);
    if (!text->empty() && events_.resuming) events_.resuming(plan_.photos.size());
    while (done_ < plan_.photos.size()) {
      const std::optional<ManifestPhoto> photo = reader.Next();
      if (!photo.has_value()) break;
      FACEGATE_ASSIGN_OR_RETURN(const bool left, AddLeft(*photo));
      if (!left) break;
      Count(photo->entries);
      if (events_.found) events_.found();
      end = photo->end;
    }
    written_ = whole && done_ == plan_.photos.size() && end == text->size();
    if (written_) return OkStatus();
    // Crops that somebody took away are cut again.
    const bool is_changed = whole && !IsWholeManifest(*text, plan_.photos.size());
    if (packed || is_changed) {
      return FailedPrecondition(
          fmt::format("{} was changed since {} was written; give another OUT, or remove both",
                      report_.manifest, place_.out));
    }
    const std::string kept = end == 0 ? ManifestHeader() : text->substr(0, end);
    FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(growing, kept));
    std::error_code error;
    fs::remove(report_.manifest, error);
    FACEGATE_ASSIGN_OR_RETURN(manifest_, AppendFile::Open(growing, AppendFile::Mode::kContinue));
    return OkStatus();
  }

  StatusOr<bool> AddLeft(const ManifestPhoto& photo) {
    if (store_ == nullptr) return true;
    std::vector<std::string> paths;
    for (const ManifestEntry& entry : photo.entries) {
      if (HasCrop(entry.status)) paths.push_back(entry.path);
    }
    return paths.empty() ? true : store_->AddLeft(FolderOf(done_), paths);
  }

  const std::string& FolderOf(size_t photo) const {
    return plan_.folders[plan_.photos[photo].identity];
  }

  // The next photo is done, and these are its rows.
  void Count(std::span<const ManifestEntry> entries) {
    const PlannedPhoto& photo = plan_.photos[done_];
    size_t crops = 0;
    for (const ManifestEntry& entry : entries) {
      report_.aligned += entry.status == CutStatus::kAligned ? 1 : 0;
      report_.fallback += entry.status == CutStatus::kFallback ? 1 : 0;
      crops += HasCrop(entry.status) ? 1 : 0;
    }
    kept_[photo.identity] += crops;
    if (crops > 0) {
      report_.others += entries.size() - crops;
    } else {
      const CutStatus status = entries.front().status;
      ++report_.dropped[status];
      dropped_.push_back({.source = set_.sources[photo.source].get(),
                          .photo = photo.photo,
                          .status = status,
                          .line = next_line_});
    }
    next_line_ += entries.size();
    ++done_;
  }

  Status CutAll() {
    const size_t first = done_;
    const int threads = options_.threads > 0
                            ? options_.threads
                            : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    auto synced = std::chrono::steady_clock::now();
    const auto make = [&](size_t i) { return CutPhoto(plan_.photos[first + i]); };
    const auto take = [&](size_t i, const DonePhoto& photo) -> Status {
      FACEGATE_RETURN_IF_ERROR(Take(FolderOf(first + i), photo));
      if (events_.done) events_.done();
      const auto now = std::chrono::steady_clock::now();
      if (now - synced < kSyncEvery) return OkStatus();
      synced = now;
      return Sync();
    };
    FACEGATE_RETURN_IF_ERROR(
        OrderedWork<DonePhoto>::Run(plan_.photos.size() - first, threads,
                                    kAheadPerThread * static_cast<size_t>(threads), make, take));
    return Sync();
  }

  StatusOr<DonePhoto> CutPhoto(const PlannedPhoto& planned) {
    const PhotoSource& source = *set_.sources[planned.source];
    const StatusOr<std::string> bytes = source.Read(planned.photo);
    PhotoCuts cuts;
    if (bytes.ok()) {
      StatusOr<PhotoCuts> cut = cutter_.Cut(source.short_name(planned.photo), *bytes);
      if (!cut.ok()) return Annotate(cut.status(), source.name(planned.photo));
      cuts = *std::move(cut);
    } else {
      cuts.cuts.push_back(
          {.status = CutStatus::kUnreadable, .reason = std::string(MessageOf(bytes.status()))});
    }
    DonePhoto photo;
    const std::string& folder = plan_.folders[planned.identity];
    for (FaceCut& cut : cuts.cuts) {
      ManifestRow row{.path = {},
                      .identity = folder,
                      .status = cut.status,
                      .source = source.name(planned.photo),
                      .found = cuts.found,
                      .face = photo.rows.size(),
                      .faces = cuts.cuts.size(),
                      .at = std::move(cut.face),
                      .quality = cut.quality,
                      .reason = std::move(cut.reason)};
      if (HasCrop(cut.status)) {
        row.path = PathOf(planned, row.face);
        FACEGATE_ASSIGN_OR_RETURN(std::string image,
                                  EncodePixels(ViewOf(cut.crop), options_.format));
        FACEGATE_RETURN_IF_ERROR(store_->Put(row.path, image));
        photo.images.push_back(std::move(image));
      }
      photo.rows.push_back(std::move(row));
    }
    if (photo.images.empty() && bytes.ok() && options_.use_quarantine) {
      FACEGATE_RETURN_IF_ERROR(
          quarantine_.Put(fmt::format("{}/{}{}", folder, planned.name, planned.ending), *bytes));
    }
    return photo;
  }

  std::string PathOf(const PlannedPhoto& photo, size_t face) const {
    const std::string number =
        options_.cut.choice == FaceChoice::kAll ? fmt::format("_{}", face) : "";
    return fmt::format("{}/{}{}.{}", plan_.folders[photo.identity], photo.name, number,
                       options_.format == ImageFormat::kJpeg ? "jpg" : "png");
  }

  Status Take(const std::string& folder, const DonePhoto& photo) {
    std::vector<ManifestEntry> entries;
    size_t image = 0;
    for (const ManifestRow& row : photo.rows) {
      if (HasCrop(row.status)) {
        FACEGATE_RETURN_IF_ERROR(store_->Add(folder, row.path, photo.images[image++]));
      }
      lines_ += ManifestLine(row);
      entries.push_back(
          {.path = row.path, .status = row.status, .face = row.face, .faces = row.faces});
    }
    Count(entries);
    return OkStatus();
  }

  // The manifest tells of no crop that is not there.
  Status Sync() {
    FACEGATE_RETURN_IF_ERROR(store_->Sync());
    FACEGATE_RETURN_IF_ERROR(quarantine_.Sync());
    FACEGATE_RETURN_IF_ERROR(manifest_->Append(lines_));
    lines_.clear();
    return manifest_->Sync();
  }

  Status Finish() {
    if (!written_) {
      FACEGATE_RETURN_IF_ERROR(WriteSheet());
      FACEGATE_RETURN_IF_ERROR(folder_.Publish(std::string(kManifestName)));
    }
    const bool any = report_.aligned + report_.fallback > 0;
    if (any && store_ != nullptr) FACEGATE_RETURN_IF_ERROR(store_->Finish());
    FACEGATE_RETURN_IF_ERROR(quarantine_.Close());
    return folder_.Close();
  }

  Status WriteSheet() {
    const size_t dropped = report_.dropped_photos();
    if (dropped == 0) return OkStatus();
    const cv::Mat sheet = DrawDroppedSheet(
        fmt::format("{} of {} dropped", dropped, CountedPhotos(report_.photos)), dropped_);
    if (sheet.empty()) return OkStatus();
    FACEGATE_ASSIGN_OR_RETURN(const std::string png, EncodePng(ViewOf(sheet)));
    return folder_.Put(std::string(kSheetName), png);
  }

  StatusOr<AlignReport> Report() {
    for (size_t i = 0; i < kept_.size(); ++i) {
      if (kept_[i] > 0) {
        ++report_.identities;
      } else {
        report_.without.push_back(set_.merged.identities[i].name);
      }
    }
    if (Exists(folder_.PathOf(kSheetName))) report_.sheet = folder_.PathOf(kSheetName);
    if (options_.use_quarantine && Exists(quarantine_.path())) {
      report_.quarantine = quarantine_.path();
    }
    if (report_.identities > 0) return report_;
    return InvalidArgument(fmt::format("nothing could be cut out of {}: {}; {} tells more",
                                       CountedPhotos(report_.photos), report_.DroppedText(),
                                       report_.manifest));
  }

  const AlignOptions& options_;
  const AlignEvents& events_;
  const SourceSet& set_;
  const PhotoCutter& cutter_;
  const CropPlan plan_;
  const OutputPlace& place_;
  StagedFolder folder_;
  StagedFolder quarantine_;
  std::unique_ptr<FolderLock> lock_;
  std::unique_ptr<CropStore> store_;  // null where the pack is done
  std::unique_ptr<AppendFile> manifest_;
  std::string lines_;     // of the manifest, not written yet
  bool written_ = false;  // the manifest is whole and has its name

  size_t done_ = 0;           // photos
  size_t next_line_ = 2;      // of the manifest
  std::vector<size_t> kept_;  // crops of each identity
  std::vector<DroppedPhoto> dropped_;
  AlignReport report_;
};

}  // namespace

size_t AlignReport::dropped_photos() const {
  size_t sum = 0;
  for (const auto& [status, count] : dropped) sum += count;
  return sum;
}

std::string AlignReport::DroppedText() const {
  std::string text;
  for (const auto& [status, count] : dropped) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, CutStatusName(status));
  }
  return text;
}

StatusOr<AlignReport> AlignPhotos(const AlignOptions& options, const AlignEvents& events) {
  SetOpenCvThreads(1);  // photos are cut side by side, each on one thread
  const OutputPlace place = OutputPlace::Of(options.out, options.quarantine);
  FACEGATE_RETURN_IF_ERROR(CheckPlace(place, options.sources));
  FACEGATE_ASSIGN_OR_RETURN(const auto cutter, PhotoCutter::Create(options.cut));
  FACEGATE_ASSIGN_OR_RETURN(const SourceSet set,
                            OpenSourceSet(options.sources, options.list_root, options.missing));
  return AlignRun(options, events, place, set, *cutter).Run();
}

}  // namespace facegate
