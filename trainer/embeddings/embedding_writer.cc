#include "trainer/embeddings/embedding_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include "face/base/file.h"
#include "face/base/npy_header.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxLogBytes = 16ULL << 30;
constexpr size_t kReasonsShown = 5;
constexpr std::string_view kGood = "+ ";
constexpr std::string_view kBad = "- ";

std::string_view BytesOf(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

// A line's end is its proof that it was written whole.
std::vector<std::string_view> WholeLines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

Status Resize(const std::string& path, uint64_t bytes) {
  std::error_code error;
  fs::resize_file(path, bytes, error);
  if (!error) return OkStatus();
  return FailedPrecondition(fmt::format("cannot shorten {}: {}", path, error.message()));
}

Status OverwriteStart(const std::string& path, std::string_view bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  bool good =
      fd >= 0 && ::pwrite(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
  good = good && ::fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (good) return OkStatus();
  return FailedPrecondition(fmt::format("cannot write {}: {}", path, std::strerror(error)));
}

Status RefuseExisting(const std::string& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return OkStatus();
  return FailedPrecondition(fmt::format("{} exists; --force replaces it", path));
}

}  // namespace

StatusOr<std::unique_ptr<EmbeddingWriter>> EmbeddingWriter::Open(
    const EmbeddingWriterOptions& options, std::vector<std::string> photos) {
  if (options.width == 0) return InvalidArgument("an embedding has at least 1 value");
  std::unique_ptr<EmbeddingWriter> writer(new EmbeddingWriter(options, std::move(photos)));
  if (options.force) {
    std::error_code ignored;
    fs::remove(writer->LogPath(), ignored);
  } else {
    FACEGATE_RETURN_IF_ERROR(RefuseExisting(options.npy));
    FACEGATE_RETURN_IF_ERROR(writer->GoOn());
    // The names may be written already where everything is done, and only the end was missing.
    if (writer->done() < writer->total()) FACEGATE_RETURN_IF_ERROR(RefuseExisting(options.names));
  }
  FACEGATE_RETURN_IF_ERROR(writer->OpenFiles());
  return writer;
}

EmbeddingWriter::EmbeddingWriter(EmbeddingWriterOptions options, std::vector<std::string> photos)
    : options_(std::move(options)), photos_(std::move(photos)) {}

std::string EmbeddingWriter::FirstLine() const {
  return fmt::format("facegate embeddings 1, {} values, {} photos, NaN rows {}, {}\n",
                     options_.width, photos_.size(), options_.nan_rows ? "yes" : "no",
                     options_.origin);
}

std::string EmbeddingWriter::LogLine(size_t photo, const std::string& fault) const {
  if (fault.empty()) return fmt::format("{}{}\n", kGood, photos_[photo]);
  std::string line = fmt::format("{}{}\t{}", kBad, photos_[photo], fault);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line + "\n";
}

std::optional<std::string> EmbeddingWriter::FaultIn(std::string_view line, size_t photo) const {
  if (photo >= photos_.size() || line.size() < kGood.size()) return std::nullopt;
  const std::string_view rest = line.substr(kGood.size());
  const std::string& name = photos_[photo];
  if (line.starts_with(kGood)) return rest == name ? std::optional(std::string()) : std::nullopt;
  if (!line.starts_with(kBad) || !rest.starts_with(name + "\t")) return std::nullopt;
  return std::string(rest.substr(name.size() + 1));
}

// Takes up what an earlier process left: as many photos as both files tell of.
Status EmbeddingWriter::GoOn() {
  std::error_code error;
  if (!fs::exists(LogPath(), error) || !fs::exists(PartPath(), error)) return OkStatus();
  FACEGATE_ASSIGN_OR_RETURN(const std::string log, ReadFile(LogPath(), kMaxLogBytes));
  const std::vector<std::string_view> lines = WholeLines(log);
  if (lines.empty()) return OkStatus();
  if (fmt::format("{}\n", lines.front()) != FirstLine()) return SetAside();
  const uint64_t bytes = fs::file_size(PartPath(), error);
  const uint64_t row = options_.width * sizeof(float);
  const uint64_t held = error || bytes < kNpyHeaderBytes ? 0 : (bytes - kNpyHeaderBytes) / row;
  for (size_t i = 1; i < lines.size(); ++i) {
    std::optional<std::string> fault = FaultIn(lines[i], done());
    // Another photo is at this place now.
    if (!fault.has_value()) return SetAside();
    const bool has_row = fault->empty() || options_.nan_rows;
    if (has_row && rows() == held) break;
    bad_ += fault->empty() ? 0 : 1;
    faults_.push_back(*std::move(fault));
  }
  return OkStatus();
}

Status EmbeddingWriter::SetAside() {
  std::error_code error;
  // A part that was set aside before stays.
  std::string ending = ".aside";
  for (int i = 2; fs::exists(PartPath() + ending, error) || fs::exists(LogPath() + ending, error);
       ++i) {
    ending = fmt::format(".aside-{}", i);
  }
  set_aside_ = PartPath() + ending;
  fs::rename(PartPath(), set_aside_, error);
  if (!error) fs::rename(LogPath(), LogPath() + ending, error);
  if (error) {
    return FailedPrecondition(fmt::format("{} is of another call and cannot be renamed: {}",
                                          PartPath(), error.message()));
  }
  faults_.clear();
  bad_ = 0;
  return OkStatus();
}

std::string EmbeddingWriter::ReasonCounts() const {
  // A photo's name, with which most reasons begin, would make each of them another one.
  std::map<std::string, std::pair<size_t, size_t>> counts;  // how often, and the first photo
  for (size_t i = 0; i < faults_.size(); ++i) {
    std::string reason = faults_[i];
    if (const size_t name = reason.find(photos_[i]); name != std::string::npos) {
      const size_t begin = reason.find(": ", name + photos_[i].size());
      if (begin != std::string::npos) reason.erase(0, begin + 2);
    }
    const auto [at, is_new] = counts.try_emplace(reason, 0, i);
    ++at->second.first;
  }
  std::vector<std::pair<std::string, std::pair<size_t, size_t>>> sorted(counts.begin(),
                                                                        counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second.first > b.second.first; });
  std::string text;
  for (size_t i = 0; i < sorted.size() && i < kReasonsShown; ++i) {
    const auto& [reason, found] = sorted[i];
    text += fmt::format("\n  {} × {}, such as {}", found.first, reason, photos_[found.second]);
  }
  if (sorted.size() > kReasonsShown) {
    text += fmt::format("\n  and {} other reasons", sorted.size() - kReasonsShown);
  }
  return text;
}

// Both files as of done(), and nothing after.
Status EmbeddingWriter::OpenFiles() {
  std::string log = FirstLine();
  for (size_t i = 0; i < done(); ++i) log += LogLine(i, faults_[i]);
  if (done() == 0) {
    FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(PartPath(), NpyHeader({0, options_.width})));
  } else {
    FACEGATE_RETURN_IF_ERROR(
        Resize(PartPath(), kNpyHeaderBytes + rows() * options_.width * sizeof(float)));
  }
  FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(LogPath(), log));
  FACEGATE_ASSIGN_OR_RETURN(part_, AppendFile::Open(PartPath(), AppendFile::Mode::kContinue));
  FACEGATE_ASSIGN_OR_RETURN(log_, AppendFile::Open(LogPath(), AppendFile::Mode::kContinue));
  return OkStatus();
}

Status EmbeddingWriter::Append(std::span<const std::string> faults, std::span<const float> rows) {
  const auto bad = static_cast<size_t>(std::count_if(
      faults.begin(), faults.end(), [](const auto& fault) { return !fault.empty(); }));
  if (faults.size() > total() - done() || rows.size() != (faults.size() - bad) * options_.width) {
    return InvalidArgument(
        fmt::format("{} photos, {} of them bad, and {} values; expected at most "
                    "{} photos and {} values for each good one",
                    faults.size(), bad, rows.size(), total() - done(), options_.width));
  }
  const std::vector<float> nothing(options_.width, std::numeric_limits<float>::quiet_NaN());
  std::string lines;
  for (size_t i = 0; i < faults.size(); ++i) {
    lines += LogLine(done() + i, faults[i]);
    if (faults[i].empty()) {
      FACEGATE_RETURN_IF_ERROR(part_->Append(BytesOf(rows.first(options_.width))));
      rows = rows.subspan(options_.width);
    } else if (options_.nan_rows) {
      FACEGATE_RETURN_IF_ERROR(part_->Append(BytesOf(nothing)));
    }
  }
  // The log tells of no row that is not there.
  FACEGATE_RETURN_IF_ERROR(part_->Sync());
  FACEGATE_RETURN_IF_ERROR(log_->Append(lines));
  FACEGATE_RETURN_IF_ERROR(log_->Sync());
  faults_.insert(faults_.end(), faults.begin(), faults.end());
  bad_ += bad;
  return OkStatus();
}

Status EmbeddingWriter::Finish() {
  if (done() != total()) {
    return FailedPrecondition(fmt::format("{} of {} photos are done", done(), total()));
  }
  if (bad_ == done()) {
    std::error_code ignored;
    fs::remove(PartPath(), ignored);
    fs::remove(LogPath(), ignored);
    return FailedPrecondition("no photo has an embedding:" + ReasonCounts());
  }
  std::string names;
  for (size_t i = 0; i < done(); ++i) {
    if (faults_[i].empty() || options_.nan_rows) names += photos_[i] + "\n";
  }
  FACEGATE_RETURN_IF_ERROR(OverwriteStart(PartPath(), NpyHeader({rows(), options_.width})));
  FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(options_.names, names));
  std::error_code error;
  fs::rename(PartPath(), options_.npy, error);
  if (error) {
    return FailedPrecondition(
        fmt::format("cannot rename to {}: {}", options_.npy, error.message()));
  }
  fs::remove(LogPath(), error);
  return OkStatus();
}

}  // namespace facegate
