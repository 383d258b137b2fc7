#include "trainer/photos/record_io_dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "trainer/photos/indexed_source.h"
#include "trainer/photos/mapped_file.h"
#include "trainer/photos/photo_files.h"
#include "trainer/photos/record_io.h"
#include "trainer/photos/shown_name.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUsualName = "train.rec";

class RecordIoSource final : public IndexedSource {
 public:
  RecordIoSource(std::string path, std::unique_ptr<MappedFile> file,
                 std::vector<RecordIoPlace> places, DenseLabels labels,
                 std::vector<std::string> remarks)
      : IndexedSource(std::move(labels), std::move(remarks)),
        path_(std::move(path)),
        file_(std::move(file)),
        places_(std::move(places)) {}

  std::string name(size_t i) const override {
    return fmt::format("{}, key {}", path_, places_[i].key);
  }
  std::string short_name(size_t i) const override {
    return fmt::format("{}/{}", classes()[label(i)], places_[i].key);
  }
  StatusOr<std::string> Read(size_t i) const override {
    StatusOr<std::string> image = RecordIoImage(file_->bytes(), places_[i].offset);
    return image.ok() ? std::move(image) : Annotate(image.status(), name(i));
  }

 private:
  const std::string path_;
  const std::unique_ptr<MappedFile> file_;
  const std::vector<RecordIoPlace> places_;
};

bool IsRecordIoName(std::string_view name) { return name.ends_with(".rec"); }

// Lines of two numbers, as the index has them.
bool IsRecordIndex(std::string_view text) {
  const size_t tab = text.find('\t');
  const size_t end = text.find('\n');
  if (tab == std::string_view::npos || end == std::string_view::npos || tab > end) return false;
  const auto is_number = [](std::string_view field) {
    return !field.empty() && field.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return is_number(text.substr(0, tab)) && is_number(text.substr(tab + 1, end - tab - 1));
}

StatusOr<std::string> FileOf(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return path;
  std::vector<std::string> names = FilesLike(path, IsRecordIoName);
  const bool usual = std::find(names.begin(), names.end(), kUsualName) != names.end();
  if (names.size() != 1 && !usual) {
    std::transform(names.begin(), names.end(), names.begin(), ShownName);
    return InvalidArgument(fmt::format("{} holds {} RecordIO files ({}); name one of them", path,
                                       names.size(), fmt::join(names, ", ")));
  }
  return (fs::path(path) / (usual ? std::string(kUsualName) : names.front())).string();
}

}  // namespace

std::optional<std::string> SniffRecordIo(const DatasetCandidate& candidate) {
  if (candidate.is_folder) {
    const std::vector<std::string> names = FilesLike(candidate.path, IsRecordIoName);
    if (names.empty() || HasFolderOfPhotos(candidate.path)) return std::nullopt;
    return fmt::format("holds an MXNet RecordIO file ({})", ShownName(names.front()));
  }
  const bool named = IsRecordIoName(candidate.path) && candidate.start.empty();
  if (!named && !candidate.start.starts_with(kRecordIoMagic)) return std::nullopt;
  return "is an MXNet RecordIO file";
}

std::optional<std::string> SniffRecordIoIndex(const DatasetCandidate& candidate) {
  if (fs::path(candidate.path).extension() != ".idx" || !IsRecordIndex(candidate.start)) {
    return std::nullopt;
  }
  return "is the index of an MXNet RecordIO file (.rec)";
}

StatusOr<std::unique_ptr<PhotoSource>> OpenRecordIoSource(const std::string& path,
                                                          const std::string& /*root*/,
                                                          MissingPhotos /*missing*/) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string file_path, FileOf(path));
  FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<MappedFile> file, MappedFile::Open(file_path));
  const fs::path index_path = fs::path(file_path).replace_extension(".idx");
  std::unique_ptr<MappedFile> index;
  std::string without_index;
  std::error_code error;
  if (fs::exists(index_path, error)) {
    FACEGATE_ASSIGN_OR_RETURN(index, MappedFile::Open(index_path.string()));
  } else {
    without_index = fmt::format("{} is not there; the records were counted instead",
                                index_path.filename().string());
  }
  StatusOr<RecordIoIndex> found =
      IndexRecordIo(file->bytes(), index == nullptr ? std::string_view() : index->bytes());
  if (!found.ok()) return Annotate(found.status(), file_path);
  std::vector<std::string> remarks = found->left_out.Remarks();
  if (!without_index.empty()) remarks.insert(remarks.begin(), std::move(without_index));
  if (found->places.empty()) {
    return InvalidArgument(fmt::format("{} has no record with a photo{}{}", file_path,
                                       remarks.empty() ? "" : "\n  ", fmt::join(remarks, "\n  ")));
  }
  return std::make_unique<RecordIoSource>(file_path, std::move(file), std::move(found->places),
                                          DenseLabelsOf(found->labels), std::move(remarks));
}

}  // namespace facegate
