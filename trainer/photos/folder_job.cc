#include "trainer/photos/folder_job.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "face/base/file.h"
#include "face/image/image_format.h"
#include "face/image/system_name.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

// Tells a folder that is being written here from somebody's own.
constexpr char kMark[] = ".facegate-convert";
constexpr size_t kMostNameBytes = 200;

std::string EndingOf(std::string_view image) {
  const ImageFormat format = SniffImageFormat(image.substr(0, kSniffedBytes));
  switch (format) {
    case ImageFormat::kJpeg:
      return "jpg";
    case ImageFormat::kPng:
      return "png";
    case ImageFormat::kWebp:
      return "webp";
    case ImageFormat::kBmp:
      return "bmp";
    case ImageFormat::kPgm:
      return image.starts_with("P3") || image.starts_with("P6") ? "ppm" : "pgm";
    case ImageFormat::kHeic:
      return "heic";
    case ImageFormat::kAvif:
      return "avif";
    default:
      return "img";
  }
}

std::string FileNameOf(const CheckedPhoto& photo) {
  return fmt::format("{:06}.{}", photo.place + 1, EndingOf(photo.image));
}

Status FromError(std::string_view what, const std::string& path, const std::error_code& error) {
  const std::string message = fmt::format("cannot {} {}: {}", what, path, error.message());
  const bool is_full = error.value() == ENOSPC || error.value() == EDQUOT;
  return is_full ? Refuse(Reason::kStoreFull, message) : FailedPrecondition(message);
}

Status FromErrno(std::string_view what, const std::string& path) {
  return FromError(what, path, {errno, std::generic_category()});
}

// What lies at the path itself: no link is followed.
fs::file_type TypeOf(const fs::path& path) {
  std::error_code error;
  return fs::symlink_status(path, error).type();
}

// A new file, whose bytes may be torn by a crash: they are compared when the writing goes on. What
// lay there is taken away and not written to, as it may be a link.
Status WriteFile(const std::string& path, std::string_view bytes) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return FromError("clear", path, error);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return FromErrno("create", path);
  Status status;
  while (!bytes.empty() && status.ok()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      status = FromErrno("write", path);
    } else {
      bytes.remove_prefix(static_cast<size_t>(written));
    }
  }
  if (::close(fd) != 0 && status.ok()) status = FromErrno("write", path);
  return status;
}

// Takes away what is in `folder` and not among `names`.
Status RemoveOthers(const std::string& folder, const std::set<std::string>& names) {
  std::error_code error;
  std::vector<fs::path> others;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!names.contains(entry->path().filename().string())) others.push_back(entry->path());
  }
  for (size_t i = 0; i < others.size() && !error; ++i) fs::remove_all(others[i], error);
  return error ? FromError("clear", folder, error) : OkStatus();
}

class FolderWriter final : public PhotoSink {
 public:
  FolderWriter(std::string out, std::vector<std::string> folders)
      : out_(std::move(out)), partial_(out_ + ".partial"), folders_(std::move(folders)) {}
  ~FolderWriter() override {
    if (fd_ >= 0) ::close(fd_);
  }
  FolderWriter(const FolderWriter&) = delete;
  FolderWriter& operator=(const FolderWriter&) = delete;

  size_t kept() const { return kept_; }

  Status Open() {
    std::error_code error;
    if (fs::exists(fs::symlink_status(out_, error))) {
      return FailedPrecondition(fmt::format("{} exists; name a folder that does not", out_));
    }
    const bool is_new = fs::create_directory(partial_, error);
    if (error) return FromError("make", partial_, error);
    fd_ = ::open(partial_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd_ < 0) return FromErrno("open", partial_);
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      return FailedPrecondition(fmt::format("another process writes {}", partial_));
    }
    const std::string mark = (fs::path(partial_) / kMark).string();
    goes_on_ = !is_new && fs::exists(mark, error);
    if (!goes_on_ && !fs::is_empty(partial_, error)) {
      return FailedPrecondition(
          fmt::format("{} is not a folder that was begun here; move it away to go on", partial_));
    }
    return goes_on_ ? OkStatus() : WriteFile(mark, "");
  }

  bool Holds(size_t identity, const CheckedPhoto& photo) const override {
    if (!goes_on_) return false;
    const fs::path folder = fs::path(partial_) / folders_[identity];
    const fs::path path = folder / FileNameOf(photo);
    if (TypeOf(folder) != fs::file_type::directory) return false;
    if (TypeOf(path) != fs::file_type::regular) return false;
    const StatusOr<std::string> bytes = ReadFile(path.string(), kMaxTrainingPhotoBytes);
    return bytes.ok() && *bytes == photo.image;
  }

  Status Take(size_t identity, uint32_t /*label*/, std::span<const CheckedPhoto> photos) override {
    if (written_.insert(folders_[identity]).second) {
      FACEGATE_RETURN_IF_ERROR(EndIdentity());
      FACEGATE_RETURN_IF_ERROR(Begin(identity));
    }
    for (const CheckedPhoto& photo : photos) {
      const std::string name = FileNameOf(photo);
      names_.insert(name);
      if (Holds(identity, photo)) {
        ++kept_;
        continue;
      }
      FACEGATE_RETURN_IF_ERROR(WriteFile((fs::path(folder_) / name).string(), photo.image));
    }
    return OkStatus();
  }

  Status Finish() {
    FACEGATE_RETURN_IF_ERROR(EndIdentity());
    written_.insert(kMark);
    if (goes_on_) FACEGATE_RETURN_IF_ERROR(RemoveOthers(partial_, written_));
    if (::syncfs(fd_) != 0) return FromErrno("sync", partial_);
    std::error_code error;
    fs::rename(partial_, out_, error);
    if (error) return FromError("rename to", out_, error);
    // Readers take no notice of the mark: it may stay after a crash.
    fs::remove(fs::path(out_) / kMark, error);
    return SyncFolderOf(out_);
  }

 private:
  Status Begin(size_t identity) {
    folder_ = (fs::path(partial_) / folders_[identity]).string();
    std::error_code error;
    // A link in its place would lead to somebody's files.
    if (TypeOf(folder_) != fs::file_type::directory) fs::remove(folder_, error);
    if (!error) fs::create_directory(folder_, error);
    return error ? FromError("make", folder_, error) : OkStatus();
  }

  // All photos of the identity are written.
  Status EndIdentity() {
    const std::set<std::string> names = std::exchange(names_, {});
    return goes_on_ && !folder_.empty() ? RemoveOthers(folder_, names) : OkStatus();
  }

  const std::string out_;
  const std::string partial_;
  const std::vector<std::string> folders_;  // of each identity
  int fd_ = -1;
  bool goes_on_ = false;  // constant after Open()
  size_t kept_ = 0;
  std::set<std::string> written_;  // folders
  // The identity whose photos come: its folder, and the files written there.
  std::string folder_;
  std::set<std::string> names_;
};

bool IsSafe(char sign) {
  return static_cast<unsigned char>(sign) >= 0x20 && sign != 0x7f && sign != '/' && sign != '\\';
}

std::string FolderName(const std::string& identity) {
  std::string name = identity;
  for (char& sign : name) sign = IsSafe(sign) ? sign : '_';
  size_t most = kMostNameBytes;
  // No letter of UTF-8 is cut in two.
  while (name.size() > most && (name[most] & 0xC0) == 0x80) --most;
  if (name.size() > most) name.resize(most);
  if (name.starts_with('.')) name.front() = '_';
  return name.empty() || IsSystemName(name) ? "_" + name : name;
}

}  // namespace

std::vector<std::string> FolderNames(std::span<const std::string> identities) {
  std::vector<std::string> names;
  names.reserve(identities.size());
  std::set<std::string> taken;
  // The number that is tried next for identities whose names become the same.
  std::map<std::string, size_t> next;
  for (const std::string& identity : identities) {
    if (FolderName(identity) == identity) taken.insert(identity);
  }
  for (const std::string& identity : identities) {
    const std::string plain = FolderName(identity);
    std::string name = plain;
    while (plain != identity && !taken.insert(name).second) {
      name = fmt::format("{}#{}", plain, ++next.try_emplace(plain, 1).first->second);
    }
    names.push_back(std::move(name));
  }
  return names;
}

StatusOr<FolderReport> WriteFolder(const PhotoJobOptions& options, const std::string& out,
                                   const PhotoJobEvents& events) {
  FACEGATE_ASSIGN_OR_RETURN(const SourceSet sources,
                            OpenSourceSet(options.sources, options.list_root, options.missing));
  std::vector<std::string> identities;
  for (const MergedIdentities::Identity& one : sources.merged.identities) {
    identities.push_back(one.name);
  }
  std::vector<std::string> folders = FolderNames(identities);
  FolderReport report;
  for (size_t i = 0; i < folders.size(); ++i) {
    report.renamed_folders += folders[i] != identities[i] ? 1 : 0;
  }
  // A slash at the end names the same folder.
  const fs::path path(out);
  FolderWriter writer((path.has_filename() ? path : path.parent_path()).string(),
                      std::move(folders));
  FACEGATE_RETURN_IF_ERROR(writer.Open());
  FACEGATE_ASSIGN_OR_RETURN(static_cast<PhotoJobReport&>(report),
                            RunPhotoJob(sources, options, events, writer));
  FACEGATE_RETURN_IF_ERROR(writer.Finish());
  report.kept_photos = writer.kept();
  return report;
}

}  // namespace facegate
