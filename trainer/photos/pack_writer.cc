#include "trainer/photos/pack_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <unordered_map>
#include <utility>

#include "face/base/coding.h"
#include "face/base/sha256.h"
#include "trainer/photos/mapped_file.h"

namespace facegate {
namespace {

constexpr size_t kBufferBytes = 4 << 20;

Status FromErrno(std::string_view what, const std::string& path) {
  const int error = errno;
  const std::string message = fmt::format("cannot {} {}: {}", what, path, std::strerror(error));
  if (error == ENOENT) return NotFound(message);
  if (error == ENOSPC || error == EDQUOT) return Refuse(Reason::kStoreFull, message);
  return FailedPrecondition(message);
}

// As many bytes as there are at `offset`, at most `size`.
std::string BytesAt(int fd, uint64_t offset, uint64_t size) {
  std::string bytes(size, '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::pread(fd, bytes.data() + filled, bytes.size() - filled,
                                static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

// True when all of `expected` lies at `offset`.
bool HasBytes(int fd, uint64_t offset, std::string_view expected) {
  return BytesAt(fd, offset, expected.size()) == expected;
}

class FilePackWriter final : public PackWriter {
 public:
  FilePackWriter(std::string path, int fd)
      : path_(std::move(path)), partial_(path_ + ".partial"), fd_(fd) {}
  ~FilePackWriter() override {
    // The bytes that were appended lie in the file for the next writer, as far as there is room.
    (void)Flush();
    if (begun_ && found_ == 0 && entries_.empty()) ::unlink(partial_.c_str());
    ::close(fd_);
  }
  FilePackWriter(const FilePackWriter&) = delete;
  FilePackWriter& operator=(const FilePackWriter&) = delete;

  // Finds what an earlier writer has left.
  Status Recover() {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) return FromErrno("stat", partial_);
    if (info.st_size > 0) FACEGATE_RETURN_IF_ERROR(ScanRecords());
    FACEGATE_RETURN_IF_ERROR(Write(PackHeader()));
    begun_ = true;
    return OkStatus();
  }

  size_t found() const override { return found_; }

  bool Holds(std::string_view name, std::string_view image) const override {
    const auto at = images_.find(std::string(name));
    return at != images_.end() && at->second.size == image.size() &&
           HasBytes(fd_, at->second.offset, image);
  }

  std::optional<std::string> ImageOf(std::string_view name) const override {
    const auto at = images_.find(std::string(name));
    if (at == images_.end()) return std::nullopt;
    std::string image = BytesAt(fd_, at->second.offset, at->second.size);
    if (image.size() != at->second.size) return std::nullopt;
    return image;
  }

  Status Append(const PackRecord& record) override {
    FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, SerializePackRecord(record));
    std::string_view sum = std::string_view(bytes).substr(bytes.size() - 4);
    entries_.push_back({.offset = offset_,
                        .label = record.label,
                        .crc = TakeLittleEndian<uint32_t>(sum).value_or(0)});
    return Write(bytes);
  }

  Status Flush() override {
    std::string_view rest = buffer_;
    uint64_t at = offset_ - buffer_.size();
    while (!rest.empty()) {
      const ssize_t written = ::pwrite(fd_, rest.data(), rest.size(), static_cast<off_t>(at));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return FromErrno("write", partial_);
      rest.remove_prefix(static_cast<size_t>(written));
      at += static_cast<uint64_t>(written);
    }
    buffer_.clear();
    return OkStatus();
  }

  StatusOr<PackSummary> Finish(std::span<const std::string> classes) override {
    for (const std::string& name : classes) {
      if (name.empty() || name.size() > kMaxPackNameBytes) {
        return InvalidArgument(fmt::format("the name of an identity has {} bytes, expected 1 to {}",
                                           name.size(), kMaxPackNameBytes));
      }
    }
    const std::string index = SerializePackIndex(entries_, classes);
    PackFooter footer{.photos = entries_.size(),
                      .classes = classes.size(),
                      .index_offset = offset_,
                      .names_offset = offset_ + entries_.size() * kPackEntryBytes,
                      .index_crc = Crc32c(index),
                      .digest = {}};
    FACEGATE_RETURN_IF_ERROR(Write(index));
    footer.digest = hash_.Digest();
    FACEGATE_RETURN_IF_ERROR(Write(SerializePackFooter(footer)));
    FACEGATE_RETURN_IF_ERROR(Flush());
    FACEGATE_RETURN_IF_ERROR(Publish());
    return PackSummary{.photos = footer.photos, .bytes = offset_, .digest = ToHex(footer.digest)};
  }

 private:
  struct ImagePlace {
    uint64_t offset = 0;
    uint64_t size = 0;
  };

  Status ScanRecords() {
    FACEGATE_ASSIGN_OR_RETURN(const std::unique_ptr<MappedFile> file, MappedFile::Open(partial_));
    const std::string_view bytes = file->bytes();
    const std::string header = PackHeader();
    if (!bytes.starts_with(std::string_view(header).substr(0, bytes.size()))) {
      return FailedPrecondition(fmt::format(
          "{} is not a pack of this version that was begun; move it away to go on", partial_));
    }
    uint64_t offset = header.size();
    for (;;) {
      const StatusOr<CheckedRecord> checked = ReadPackRecord(bytes, offset, bytes.size());
      // Everything behind a crash's torn end is written again.
      if (!checked.ok()) break;
      const PackRecord& record = checked->record;
      images_[std::string(record.name)] = {
          .offset = static_cast<uint64_t>(record.image.data() - bytes.data()),
          .size = record.image.size()};
      offset = checked->end;
      ++found_;
    }
    kept_end_ = std::min<uint64_t>(offset, bytes.size());
    return OkStatus();
  }

  // Appends, or goes over the same bytes that lie there already.
  Status Write(std::string_view bytes) {
    hash_.Update(bytes);
    if (offset_ < kept_end_) {
      if (bytes.size() <= kept_end_ - offset_ && HasBytes(fd_, offset_, bytes)) {
        offset_ += bytes.size();
        return OkStatus();
      }
      kept_end_ = offset_;
    }
    if (!truncated_) {
      if (::ftruncate(fd_, static_cast<off_t>(offset_)) != 0) {
        return FromErrno("shorten", partial_);
      }
      truncated_ = true;
    }
    buffer_.append(bytes);
    offset_ += bytes.size();
    return buffer_.size() >= kBufferBytes ? Flush() : OkStatus();
  }

  Status Publish() {
    if (::fsync(fd_) != 0) return FromErrno("sync", partial_);
    if (std::rename(partial_.c_str(), path_.c_str()) != 0) return FromErrno("rename to", path_);
    const std::filesystem::path parent = std::filesystem::path(path_).parent_path();
    const std::string folder = parent.empty() ? "." : parent.string();
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return FromErrno("open", folder);
    Status synced = ::fsync(fd) == 0 ? OkStatus() : FromErrno("sync", folder);
    ::close(fd);
    return synced;
  }

  const std::string path_;
  const std::string partial_;
  const int fd_;
  // Constant after Recover(): whether the file is this writer's, and what was found in it.
  bool begun_ = false;
  size_t found_ = 0;
  std::unordered_map<std::string, ImagePlace> images_;

  uint64_t kept_end_ = 0;  // found bytes beyond it are not used
  bool truncated_ = false;
  uint64_t offset_ = 0;  // of the next record
  std::string buffer_;   // the bytes before offset_ that are not in the file yet
  std::vector<PackEntry> entries_;
  Sha256 hash_;
};

}  // namespace

StatusOr<std::unique_ptr<PackWriter>> PackWriter::Open(const std::string& path) {
  const std::string partial = path + ".partial";
  const int fd = ::open(partial.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return FromErrno("create", partial);
  auto writer = std::make_unique<FilePackWriter>(path, fd);
  struct stat mine {};
  struct stat named {};
  // The lock is worth nothing when the other process has just named its finished pack.
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0 || ::fstat(fd, &mine) != 0 ||
      ::stat(partial.c_str(), &named) != 0 || mine.st_ino != named.st_ino) {
    return FailedPrecondition(fmt::format("another process writes {}", partial));
  }
  FACEGATE_RETURN_IF_ERROR(writer->Recover());
  return writer;
}

}  // namespace facegate
