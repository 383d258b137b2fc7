#include "trainer/synthetic/synthesis_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "face/base/mutex.h"
#include "face/image/encode.h"
#include "face/image/mat_pixels.h"

namespace facegate::synthetic {
namespace {

constexpr char kRecordName[] = "synthetic.json";
constexpr uint64_t kMaxRecordBytes = 1 << 20;

// Writes down what decides how a picture looks, beside its identity and view.
std::string RecordText(const SynthesisOptions& options) {
  nlohmann::ordered_json record;
  record["generator"] = "facegate synthetic faces";
  record["version"] = kVersion;
  record["seed"] = options.seed;
  record["difficulty"] = options.picture.difficulty;
  record["crops"] = options.crops;
  record["width"] = options.crops ? 112 : options.picture.width;
  record["height"] = options.crops ? 112 : options.picture.height;
  return record.dump(2) + "\n";
}

Status MakeDirectory(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return InvalidArgument(fmt::format("making {}: {}", path.string(), error.message()));
  return OkStatus();
}

Status CheckRecord(const SynthesisOptions& options) {
  const std::filesystem::path directory = options.directory;
  const std::string path = (directory / kRecordName).string();
  const std::string text = RecordText(options);
  std::error_code error;
  if (std::filesystem::exists(path, error) && !options.force) {
    FACEGATE_ASSIGN_OR_RETURN(const std::string there, ReadFile(path, kMaxRecordBytes));
    if (there == text) return OkStatus();
    return FailedPrecondition(
        fmt::format("{} says that the folder holds pictures with another seed, size or "
                    "difficulty; expected another folder, the same options, or --force",
                    path));
  }
  return WriteFileAtomically(path, text);
}

class Job {
 public:
  Job(const SynthesisOptions& options, const std::function<void()>& one_done)
      : options_(options), one_done_(one_done), lines_(options.identities * options.views) {}

  StatusOr<SynthesisReport> Run() {
    {
      std::vector<std::jthread> threads;
      const int count = std::max(1, options_.threads);
      threads.reserve(static_cast<size_t>(count));
      for (int i = 0; i < count; ++i) {
        threads.emplace_back([this] { Work(); });
      }
    }
    const MutexLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(status_);
    std::string text;
    for (const std::string& line : lines_) text += line;
    const std::filesystem::path directory = options_.directory;
    FACEGATE_RETURN_IF_ERROR(WriteFileAtomically((directory / "landmarks.txt").string(), text));
    return report_;
  }

 private:
  void Work() {
    while (true) {
      size_t i = 0;
      {
        const MutexLock lock(mutex_);
        if (!status_.ok() || next_ == lines_.size()) return;
        i = next_++;
      }
      StatusOr<bool> drawn = Make(i);
      const MutexLock lock(mutex_);
      if (!drawn.ok()) {
        if (status_.ok()) status_ = drawn.status();
        return;
      }
      ++(*drawn ? report_.drawn : report_.kept);
      one_done_();
    }
  }

  // True when it had to be drawn. Each call writes a line of its own.
  StatusOr<bool> Make(size_t i) {
    const FaceName name{.seed = options_.seed,
                        .identity = options_.first_identity + i / options_.views,
                        .view = i % options_.views};
    const std::string place = fmt::format("{:04}/{:03}.png", name.identity, name.view);
    const std::filesystem::path path = std::filesystem::path(options_.directory) / place;
    std::error_code error;
    const bool kept = !options_.force && std::filesystem::exists(path, error);
    std::array<cv::Point2f, 5> landmarks;
    if (kept) {
      FACEGATE_ASSIGN_OR_RETURN(landmarks, options_.crops
                                               ? FaceCropLandmarks(name, options_.picture)
                                               : FaceLandmarks(name, options_.picture));
    } else {
      FACEGATE_ASSIGN_OR_RETURN(const RenderedFace drawn,
                                options_.crops ? RenderFaceCrop(name, options_.picture)
                                               : RenderFace(name, options_.picture));
      landmarks = drawn.landmarks;
      FACEGATE_ASSIGN_OR_RETURN(const std::string png, EncodePng(ViewOf(drawn.picture)));
      FACEGATE_RETURN_IF_ERROR(MakeDirectory(path.parent_path()));
      FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(path.string(), png));
    }
    std::string line = place;
    for (const cv::Point2f& point : landmarks) {
      line += fmt::format("\t{:.2f}\t{:.2f}", point.x, point.y);
    }
    lines_[i] = line + "\t1.000\n";
    return !kept;
  }

  const SynthesisOptions& options_;
  const std::function<void()>& one_done_;
  std::vector<std::string> lines_;  // each written by the thread that makes its picture
  Mutex mutex_;
  size_t next_ FACEGATE_GUARDED_BY(mutex_) = 0;
  SynthesisReport report_ FACEGATE_GUARDED_BY(mutex_);
  Status status_ FACEGATE_GUARDED_BY(mutex_);
};

}  // namespace

StatusOr<SynthesisReport> WriteSyntheticPhotos(const SynthesisOptions& options,
                                               const std::function<void()>& one_done) {
  if (options.identities == 0 || options.views == 0) {
    return InvalidArgument(fmt::format("{} identities of {} views; expected one at least of each",
                                       options.identities, options.views));
  }
  FACEGATE_RETURN_IF_ERROR(MakeDirectory(options.directory));
  FACEGATE_RETURN_IF_ERROR(CheckRecord(options));
  return Job(options, one_done).Run();
}

}  // namespace facegate::synthetic
