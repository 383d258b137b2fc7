#include "trainer/photos/archive_dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "face/image/image_format.h"
#include "trainer/photos/indexed_source.h"
#include "trainer/photos/mapped_file.h"
#include "trainer/photos/photo_files.h"
#include "trainer/photos/tar_archive.h"
#include "trainer/photos/zip_archive.h"

namespace facegate {
namespace {

enum class ArchiveKind { kZip, kTar };

StatusOr<std::string> ReadMember(ArchiveKind kind, std::string_view bytes,
                                 const ArchiveMember& member, size_t most) {
  if (kind == ArchiveKind::kZip) return ReadZipMember(bytes, member, most);
  return std::string(bytes.substr(member.offset, std::min<uint64_t>(member.bytes, most)));
}

// A photo of somebody.
struct Photo {
  std::string folder;  // its whole path, without a slash at its end
  std::string file;
  ArchiveMember member;
};

class ArchiveSource final : public IndexedSource {
 public:
  ArchiveSource(ArchiveKind kind, std::string path, std::unique_ptr<MappedFile> file,
                std::vector<Photo> photos, DenseLabels labels, std::vector<std::string> remarks)
      : IndexedSource(std::move(labels), std::move(remarks)),
        kind_(kind),
        path_(std::move(path)),
        file_(std::move(file)),
        photos_(std::move(photos)) {}

  std::string name(size_t i) const override {
    return fmt::format("{}, {}", path_, photos_[i].member.name);
  }
  std::string short_name(size_t i) const override {
    return fmt::format("{}/{}", classes()[label(i)], photos_[i].file);
  }
  StatusOr<std::string> Read(size_t i) const override {
    const ArchiveMember& member = photos_[i].member;
    FACEGATE_RETURN_IF_ERROR(Annotate(CheckTrainingPhotoSize(member.bytes), name(i)));
    StatusOr<std::string> bytes = ReadMember(kind_, file_->bytes(), member, kMaxTrainingPhotoBytes);
    return bytes.ok() ? std::move(bytes) : Annotate(bytes.status(), name(i));
  }

 private:
  const ArchiveKind kind_;
  const std::string path_;
  const std::unique_ptr<MappedFile> file_;
  const std::vector<Photo> photos_;
};

std::vector<std::string_view> StepsOf(std::string_view path) {
  std::vector<std::string_view> steps;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view step = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (!step.empty() && step != ".") steps.push_back(step);
  }
  return steps;
}

// Chooses the photos among the members as a folder's are chosen.
class PhotoChoice {
 public:
  PhotoChoice(ArchiveKind kind, std::string_view bytes) : kind_(kind), bytes_(bytes) {}

  LeftOut& left_out() { return left_out_; }

  void Take(ArchiveMember member) {
    const std::vector<std::string_view> steps = StepsOf(member.name);
    for (size_t i = 0; i + 1 < steps.size(); ++i) {
      if (SkipsSystemName(steps[i], member.name, left_out_)) return;
    }
    const auto format = [&]() -> std::optional<ImageFormat> {
      const StatusOr<std::string> start = ReadMember(kind_, bytes_, member, kSniffedBytes);
      if (!start.ok()) return std::nullopt;
      return SniffImageFormat(*start);
    };
    if (steps.empty() || !TakesPhotoNamed(steps.back(), member.name, format, left_out_)) return;
    if (steps.size() < 2) {
      left_out_.Add("photos beside the folders of identities", member.name);
      return;
    }
    photos_.push_back({.folder = fmt::format("{}", fmt::join(steps.begin(), steps.end() - 1, "/")),
                       .file = std::string(steps.back()),
                       .member = std::move(member)});
  }

  // All photos in the order of their names.
  std::vector<Photo> Finish() {
    const auto place = [](const Photo& photo) { return std::tie(photo.folder, photo.file); };
    std::stable_sort(photos_.begin(), photos_.end(),
                     [&](const Photo& a, const Photo& b) { return place(a) < place(b); });
    std::vector<Photo> once;
    once.reserve(photos_.size());
    for (Photo& photo : photos_) {
      if (!once.empty() && place(once.back()) == place(photo)) {
        left_out_.Add("files that a later one of the same name replaces", photo.member.name);
        once.back() = std::move(photo);
      } else {
        once.push_back(std::move(photo));
      }
    }
    return once;
  }

 private:
  const ArchiveKind kind_;
  const std::string_view bytes_;
  LeftOut left_out_;
  std::vector<Photo> photos_;
};

std::string LastStep(const std::string& folder) {
  return folder.substr(folder.find_last_of('/') + 1);
}

// Labels in the order of the folders. An identity is called by the last name of its folder, or,
// where others end alike, by the whole.
DenseLabels LabelsOf(const std::vector<Photo>& photos) {
  DenseLabels dense;
  std::map<std::string, size_t> uses;
  const std::string* last = nullptr;
  for (const Photo& photo : photos) {
    if (last == nullptr || *last != photo.folder) ++uses[LastStep(photo.folder)];
    last = &photo.folder;
  }
  last = nullptr;
  for (const Photo& photo : photos) {
    if (last == nullptr || *last != photo.folder) {
      const std::string name = LastStep(photo.folder);
      dense.classes.push_back(uses[name] > 1 ? photo.folder : name);
    }
    last = &photo.folder;
    dense.labels.push_back(static_cast<uint32_t>(dense.classes.size() - 1));
  }
  return dense;
}

StatusOr<std::unique_ptr<PhotoSource>> OpenArchive(ArchiveKind kind, const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<MappedFile> file, MappedFile::Open(path));
  PhotoChoice choice(kind, file->bytes());
  StatusOr<std::vector<ArchiveMember>> members = kind == ArchiveKind::kZip
                                                     ? ListZip(file->bytes(), choice.left_out())
                                                     : ListTar(file->bytes(), choice.left_out());
  if (!members.ok()) return Annotate(members.status(), path);
  for (ArchiveMember& member : *members) choice.Take(std::move(member));
  std::vector<Photo> photos = choice.Finish();
  std::vector<std::string> remarks = choice.left_out().Remarks();
  if (photos.empty()) {
    return InvalidArgument(
        fmt::format("{} has no folders with photos; expected IDENTITY/PHOTO at any depth{}{}", path,
                    remarks.empty() ? "" : "\n  ", fmt::join(remarks, "\n  ")));
  }
  DenseLabels labels = LabelsOf(photos);
  return std::make_unique<ArchiveSource>(kind, path, std::move(file), std::move(photos),
                                         std::move(labels), std::move(remarks));
}

}  // namespace

std::optional<std::string> SniffZip(const DatasetCandidate& candidate) {
  if (!LooksLikeZip(candidate.start)) return std::nullopt;
  return "is a zip archive";
}

std::optional<std::string> SniffTar(const DatasetCandidate& candidate) {
  if (!LooksLikeTar(candidate.start)) return std::nullopt;
  return "is a tar archive";
}

StatusOr<std::unique_ptr<PhotoSource>> OpenZipSource(const std::string& path,
                                                     const std::string& /*root*/,
                                                     MissingPhotos /*missing*/) {
  return OpenArchive(ArchiveKind::kZip, path);
}

StatusOr<std::unique_ptr<PhotoSource>> OpenTarSource(const std::string& path,
                                                     const std::string& /*root*/,
                                                     MissingPhotos /*missing*/) {
  return OpenArchive(ArchiveKind::kTar, path);
}

}  // namespace facegate
