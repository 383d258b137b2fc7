#include "trainer/reduce/reduced_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <numeric>
#include <opencv2/core/mat.hpp>
#include <set>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "face/base/file.h"
#include "face/base/folder_lock.h"
#include "face/base/sha256.h"
#include "face/image/encode.h"
#include "face/image/mat_pixels.h"
#include "trainer/align/crop_names.h"
#include "trainer/align/output_place.h"
#include "trainer/align/staged_folder.h"
#include "trainer/align/work_record.h"
#include "trainer/enlarge/bicubic.h"
#include "trainer/enlarge/super_resolution.h"
#include "trainer/photos/ordered_work.h"
#include "trainer/photos/shown_name.h"
#include "trainer/photos/source_set.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr char kRecord[] = "reduce.json";
constexpr uint64_t kMaxRecordBytes = 1 << 20;
constexpr uint64_t kMaxPngBytes = 1ULL << 30;
constexpr int kLeastPixels = 4;  // of a side of the smallest picture
constexpr size_t kAheadPerThread = 4;
// What was done since is done again after a power loss.
constexpr std::chrono::seconds kSyncEvery(1);
// A PNG ends with an empty chunk of this name and its checksum.
constexpr std::string_view kPngEnd("\0\0\0\0IEND\xAE\x42\x60\x82", 12);

Status CheckOptions(const ReducedSetOptions& options) {
  if (options.scales.empty()) return RefuseField("--scale", "is missing; such as 2,4");
  std::set<int> seen;
  for (const int scale : options.scales) {
    if (scale < 2 || scale > ReducedSetOptions::kMostScale) {
      return RefuseField(
          "--scale", fmt::format("is {}, expected 2 to {}", scale, ReducedSetOptions::kMostScale));
    }
    if (!seen.insert(scale).second) {
      return RefuseField("--scale", fmt::format("has {} twice", scale));
    }
  }
  OutputPlace place = OutputPlace::Of(options.out, {});
  if (place.is_pack) {
    return RefuseField("OUT",
                       fmt::format("{} is the name of a pack; expected a folder", options.out));
  }
  place.quarantine.clear();
  return CheckPlace(place, options.sources);
}

// True of a file that was written to its end.
bool IsWholePng(const std::string& path) {
  std::error_code error;
  if (fs::symlink_status(path, error).type() != fs::file_type::regular) return false;
  const StatusOr<std::string> bytes = ReadFile(path, kMaxPngBytes);
  return bytes.ok() && bytes->ends_with(kPngEnd);
}

// What became of a photo.
struct DonePhoto {
  Status bad;  // why it is left out
  bool kept = false;
  bool cut = false;
};

// One run over a set of photos.
class ReducedSetRun {
 public:
  ReducedSetRun(const ReducedSetOptions& options, const PhotoJobEvents& events,
                const SourceSet& set, std::unique_ptr<SuperResolution> network,
                std::string network_digest)
      : options_(options),
        events_(events),
        set_(set),
        network_(std::move(network)),
        network_digest_(std::move(network_digest)),
        plan_(PlanCrops(set)),
        folder_(OutputPlace::Of(options.out, {}).folder),
        multiple_(std::accumulate(options.scales.begin(), options.scales.end(), 1,
                                  [](int sum, int scale) { return std::lcm(sum, scale); })),
        largest_(*std::max_element(options.scales.begin(), options.scales.end())) {}

  StatusOr<ReducedSetReport> Run() {
    FACEGATE_RETURN_IF_ERROR(TakeFolder());
    report_.remarks = set_.remarks;
    if (network_ != nullptr) report_.enlarged = network_->scale();
    if (events_.started) events_.started(plan_.photos.size());
    const Status done = ReduceAll();
    if (report_.photos == 0) ForgetRecord();
    FACEGATE_RETURN_IF_ERROR(done);
    report_.identities = identities_.size();
    FACEGATE_RETURN_IF_ERROR(folder_.Close());
    if (report_.photos > 0) return report_;
    return InvalidArgument(fmt::format("nothing is written: of {} photos none can be made smaller",
                                       plan_.photos.size()));
  }

 private:
  WorkRecord Record() const {
    return {.kind = "facegate_reduce",
            .file = kRecord,
            .settings = {{"scales", fmt::format("[{}]", fmt::join(options_.scales, ","))},
                         {"flat", options_.flat ? "true" : "false"},
                         {"network", network_digest_},
                         {"photos", std::to_string(plan_.photos.size())},
                         {"names_of_photos", plan_.digest}},
            .later = {{"sizes_of_photos", SizesDigest(set_, plan_, options_.sources)}},
            .sources = options_.sources};
  }

  Status TakeFolder() {
    const std::string path = folder_.PathOf(kRecord);
    std::error_code error;
    const bool begun = fs::exists(path, error);
    if (!begun && !IsUnused(folder_.path())) {
      return FailedPrecondition(fmt::format(
          "{} is not empty and holds nothing that reduce began; give another OUT", folder_.path()));
    }
    FACEGATE_RETURN_IF_ERROR(folder_.Make());
    FACEGATE_ASSIGN_OR_RETURN(FolderLock lock, FolderLock::Take(folder_.UnfinishedPath()));
    lock_ = std::make_unique<FolderLock>(std::move(lock));
    FACEGATE_RETURN_IF_ERROR(folder_.Clear(""));
    const WorkRecord record = Record();
    if (begun) {
      FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxRecordBytes));
      FACEGATE_RETURN_IF_ERROR(CheckRecord(text, record, folder_.path()));
      if (text == RecordText(record)) return OkStatus();
    }
    return folder_.Put(kRecord, RecordText(record));
  }

  // Where no picture is, another run may begin.
  void ForgetRecord() const {
    std::error_code ignored;
    for (const char* const folder : {"HR", "LR_bicubic", "SR"}) {
      if (fs::exists(folder_.PathOf(folder), ignored)) return;
    }
    fs::remove(folder_.PathOf(kRecord), ignored);
  }

  Status ReduceAll() {
    const int threads = options_.threads > 0
                            ? options_.threads
                            : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    auto synced = std::chrono::steady_clock::now();
    const auto make = [&](size_t i) { return Reduce(i); };
    const auto take = [&](size_t i, const DonePhoto& done) -> Status {
      Count(plan_.photos[i], done);
      const auto now = std::chrono::steady_clock::now();
      if (now - synced < kSyncEvery) return OkStatus();
      synced = now;
      return folder_.Sync();
    };
    FACEGATE_RETURN_IF_ERROR(OrderedWork<DonePhoto>::Run(
        plan_.photos.size(), threads, kAheadPerThread * static_cast<size_t>(threads), make, take));
    return folder_.Sync();
  }

  void Count(const PlannedPhoto& photo, const DonePhoto& done) {
    if (events_.read) events_.read();
    if (!done.bad.ok()) {
      ++report_.bad;
      if (events_.bad_photo) events_.bad_photo(done.bad);
      return;
    }
    ++report_.photos;
    report_.kept += done.kept ? 1 : 0;
    report_.cut += done.cut ? 1 : 0;
    identities_.insert(photo.identity);
  }

  // "HR/anna/1.png"
  std::string PathOf(const std::string& folder, size_t i, const std::string& behind) const {
    if (options_.flat) return fmt::format("{}/{:06}{}.png", folder, i + 1, behind);
    const PlannedPhoto& photo = plan_.photos[i];
    return fmt::format("{}/{}/{}{}.png", folder, plan_.folders[photo.identity], photo.name, behind);
  }
  std::string LargePath(size_t i) const { return PathOf("HR", i, ""); }
  std::string SmallPath(size_t i, int scale) const {
    return PathOf(fmt::format("LR_bicubic/X{}", scale), i, fmt::format("x{}", scale));
  }
  std::string EnlargedPath(size_t i) const {
    return PathOf(fmt::format("SR/X{}", network_->scale()), i, "");
  }

  bool IsThere(size_t i) const {
    const auto is_whole = [&](const std::string& path) { return IsWholePng(folder_.PathOf(path)); };
    return is_whole(LargePath(i)) && (network_ == nullptr || is_whole(EnlargedPath(i))) &&
           std::all_of(options_.scales.begin(), options_.scales.end(),
                       [&](int scale) { return is_whole(SmallPath(i, scale)); });
  }

  Status Put(const std::string& path, const cv::Mat& picture) {
    FACEGATE_ASSIGN_OR_RETURN(const std::string png, EncodePng(ViewOf(picture)));
    return folder_.Put(path, png);
  }

  StatusOr<DonePhoto> Reduce(size_t i) {
    if (IsThere(i)) return DonePhoto{.bad = OkStatus(), .kept = true};
    const PlannedPhoto& photo = plan_.photos[i];
    const PhotoSource& source = *set_.sources[photo.source];
    const StatusOr<cv::Mat> picture = Load(source, photo.photo);
    if (!picture.ok()) return DonePhoto{.bad = picture.status()};
    const int width = picture->cols / multiple_ * multiple_;
    const int height = picture->rows / multiple_ * multiple_;
    const cv::Mat large = (*picture)(cv::Rect(0, 0, width, height));
    if (network_ != nullptr) {
      const int scale = network_->scale();
      const StatusOr<cv::Mat> enlarged =
          network_->Enlarge(ResizedBicubic(large, {width / scale, height / scale}));
      if (enlarged.status().code() == StatusCode::kInvalidArgument) {
        return DonePhoto{.bad = Annotate(enlarged.status(), ShownName(source.name(photo.photo)))};
      }
      FACEGATE_RETURN_IF_ERROR(enlarged.status());
      FACEGATE_RETURN_IF_ERROR(Put(EnlargedPath(i), *enlarged));
    }
    for (const int scale : options_.scales) {
      FACEGATE_RETURN_IF_ERROR(
          Put(SmallPath(i, scale), ResizedBicubic(large, {width / scale, height / scale})));
    }
    FACEGATE_RETURN_IF_ERROR(Put(LargePath(i), large));
    return DonePhoto{.bad = OkStatus(), .kept = false, .cut = large.size() != picture->size()};
  }

  // A photo that each scale leaves pixels of. An error names it.
  StatusOr<cv::Mat> Load(const PhotoSource& source, size_t photo) const {
    const auto load = [&]() -> StatusOr<cv::Mat> {
      FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, source.Read(photo));
      StatusOr<cv::Mat> picture = DecodeTrainingPhoto(bytes);
      return picture.ok() ? std::move(picture)
                          : Annotate(picture.status(), ShownName(source.name(photo)));
    };
    FACEGATE_ASSIGN_OR_RETURN(cv::Mat picture, load());
    const auto refuse = [&](const std::string& why) {
      return InvalidArgument(fmt::format("{}: {} x {} pixels, {}", ShownName(source.name(photo)),
                                         picture.cols, picture.rows, why));
    };
    const int shorter = std::min(picture.cols, picture.rows) / multiple_ * multiple_;
    if (shorter < kLeastPixels * largest_) {
      return refuse(fmt::format(
          "too few to become {} times smaller: sides that {} divides leave {} of the shorter, "
          "expected {} or more",
          largest_, multiple_, shorter, kLeastPixels * largest_));
    }
    if (network_ != nullptr &&
        int64_t{picture.cols} * picture.rows > SuperResolution::kMostPixels) {
      return refuse(fmt::format("the network makes no more than {}", SuperResolution::kMostPixels));
    }
    return picture;
  }

  const ReducedSetOptions& options_;
  const PhotoJobEvents& events_;
  const SourceSet& set_;
  const std::unique_ptr<SuperResolution> network_;  // may be null
  const std::string network_digest_;                // empty without one
  const CropPlan plan_;
  StagedFolder folder_;
  const int multiple_;  // of the sides of large pictures
  const int largest_;   // of the scales
  std::unique_ptr<FolderLock> lock_;
  std::set<size_t> identities_;
  ReducedSetReport report_;
};

}  // namespace

StatusOr<ReducedSetReport> ReducePhotos(const ReducedSetOptions& options,
                                        const PhotoJobEvents& events) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  std::unique_ptr<SuperResolution> network;
  std::string digest;
  if (!options.network.empty()) {
    FACEGATE_ASSIGN_OR_RETURN(SuperResolutionFile file, ReadSuperResolutionFile(options.network));
    digest = file.facts["digest"];
    FACEGATE_ASSIGN_OR_RETURN(network, SuperResolution::Create(std::move(file), options.threads));
    if (std::find(options.scales.begin(), options.scales.end(), network->scale()) ==
        options.scales.end()) {
      return RefuseField("--super-resolution",
                         fmt::format("{} enlarges {} times; --scale is {}", options.network,
                                     network->scale(), fmt::join(options.scales, ",")));
    }
  }
  FACEGATE_ASSIGN_OR_RETURN(const SourceSet set,
                            OpenSourceSet(options.sources, options.list_root, options.missing));
  return ReducedSetRun(options, events, set, std::move(network), std::move(digest)).Run();
}

}  // namespace facegate
