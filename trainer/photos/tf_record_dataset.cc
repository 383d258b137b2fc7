#include "trainer/photos/tf_record_dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "face/base/file_kind.h"
#include "trainer/photos/image_list.h"
#include "trainer/photos/indexed_source.h"
#include "trainer/photos/list_dataset.h"
#include "trainer/photos/mapped_file.h"
#include "trainer/photos/photo_files.h"
#include "trainer/photos/photo_finder.h"
#include "trainer/photos/shown_name.h"
#include "trainer/photos/tf_record.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

struct Shard {
  std::string path;
  std::unique_ptr<MappedFile> file;
};

struct Place {
  size_t shard = 0;
  uint64_t offset = 0;
};

class TfRecordSource final : public IndexedSource {
 public:
  TfRecordSource(std::vector<Shard> shards, std::vector<Place> places, DenseLabels labels,
                 std::vector<std::string> remarks)
      : IndexedSource(std::move(labels), std::move(remarks)),
        shards_(std::move(shards)),
        places_(std::move(places)) {}

  std::string name(size_t i) const override {
    return fmt::format("{}, byte {} ({})", shards_[places_[i].shard].path, places_[i].offset,
                       short_name(i));
  }
  std::string short_name(size_t i) const override {
    const StatusOr<TfRecordPlace> record = TfRecordAt(BytesOf(i), places_[i].offset);
    const std::optional<TfExample> example =
        record.ok() ? ParseTfExample(record->data) : std::nullopt;
    if (example.has_value() && !example->filename.empty()) return std::string(example->filename);
    return fmt::format("{}/{}", fs::path(shards_[places_[i].shard].path).filename().string(),
                       places_[i].offset);
  }
  StatusOr<std::string> Read(size_t i) const override {
    const StatusOr<TfRecordPlace> record = TfRecordAt(BytesOf(i), places_[i].offset);
    const Status whole = record.ok() ? CheckWhole(BytesOf(i), *record) : record.status();
    if (!whole.ok()) return Annotate(whole, shards_[places_[i].shard].path);
    const std::optional<TfExample> example = ParseTfExample(record->data);
    if (!example.has_value()) return DataLoss(fmt::format("{} is no longer there", name(i)));
    return std::string(example->encoded);
  }

 private:
  // A record too large for a photo is not read to the end.
  static Status CheckWhole(std::string_view bytes, const TfRecordPlace& record) {
    const std::optional<TfExample> example = ParseTfExample(record.data);
    if (example.has_value()) {
      FACEGATE_RETURN_IF_ERROR(CheckTrainingPhotoSize(example->encoded.size()));
    }
    return CheckTfRecord(bytes, record);
  }
  std::string_view BytesOf(size_t i) const { return shards_[places_[i].shard].file->bytes(); }

  const std::vector<Shard> shards_;
  const std::vector<Place> places_;
};

// What the records of all shards have.
struct Found {
  std::vector<Place> places;
  std::vector<int64_t> labels;      // of each place
  std::vector<ListedPhoto> listed;  // where records have paths
  LeftOut left_out;
};

// Indexes, which some programs write beside the files, are none.
bool IsTfRecordName(std::string_view name) {
  return name.find(".tfrecord") != std::string_view::npos && !name.ends_with(".idx") &&
         !name.ends_with(".index");
}

std::vector<std::string> PathsOf(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {path};
  std::vector<std::string> paths;
  for (const std::string& name : FilesLike(path, IsTfRecordName)) {
    paths.push_back((fs::path(path) / name).string());
  }
  return paths;
}

// Where paths in records begin: the folder of the files, whether it was named or one of them was.
std::string FolderOf(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error) ? path : fs::path(path).parent_path().string();
}

// The path in the example; the photo's name where only that is found.
std::string PathOf(const TfExample& example, const PhotoFinder& finder) {
  std::string path(example.path);
  const std::string filename(example.filename);
  const bool by_name = !finder.FindExactly(path).has_value() && !filename.empty() &&
                       finder.FindExactly(filename).has_value();
  return by_name ? filename : path;
}

Status IndexShard(const Shard& shard, size_t number, const PhotoFinder& finder, Found& found) {
  const std::string_view bytes = shard.file->bytes();
  uint64_t offset = 0;
  while (offset < bytes.size()) {
    FACEGATE_ASSIGN_OR_RETURN(const TfRecordPlace record, TfRecordAt(bytes, offset));
    const Place place{.shard = number, .offset = std::exchange(offset, record.end)};
    const std::optional<TfExample> example = ParseTfExample(record.data);
    const std::string shown = fmt::format("byte {} of {}", place.offset, shard.path);
    if (!example.has_value()) {
      found.left_out.Add("records that are no tensorflow.Example", shown);
    } else if (example->encoded.empty() && example->path.empty()) {
      found.left_out.Add("records without a picture", shown);
    } else if (!example->label.has_value()) {
      found.left_out.Add("records without a whole number as their label", shown);
    } else if (example->encoded.empty()) {
      found.listed.push_back(
          {.path = PathOf(*example, finder), .label = std::to_string(*example->label)});
    } else {
      found.places.push_back(place);
      found.labels.push_back(*example->label);
    }
  }
  return OkStatus();
}

StatusOr<Shard> OpenShard(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<MappedFile> file, MappedFile::Open(path));
  const std::string_view kind = FileKindName(file->bytes().substr(0, kFileKindBytes));
  if (!LooksLikeTfRecord(file->bytes()) && !kind.empty()) {
    return InvalidArgument(fmt::format("{} is {}; unpack it to a plain TFRecord file", path, kind));
  }
  return Shard{.path = path, .file = std::move(file)};
}

}  // namespace

std::optional<std::string> SniffTfRecord(const DatasetCandidate& candidate) {
  if (candidate.is_folder) {
    const std::vector<std::string> names = FilesLike(candidate.path, IsTfRecordName);
    if (names.empty() || HasFolderOfPhotos(candidate.path)) return std::nullopt;
    return fmt::format("holds TFRecord files ({})", ShownName(names.front()));
  }
  const std::string name = fs::path(candidate.path).filename().string();
  if (!IsTfRecordName(name) && !LooksLikeTfRecord(candidate.start)) return std::nullopt;
  return "is a TFRecord file";
}

StatusOr<std::unique_ptr<PhotoSource>> OpenTfRecordSource(const std::string& path,
                                                          const std::string& root,
                                                          MissingPhotos missing) {
  const std::string base = root.empty() ? FolderOf(path) : root;
  const PhotoFinder finder(base);
  std::vector<Shard> shards;
  Found found;
  for (const std::string& one : PathsOf(path)) {
    FACEGATE_ASSIGN_OR_RETURN(Shard shard, OpenShard(one));
    FACEGATE_RETURN_IF_ERROR(Annotate(IndexShard(shard, shards.size(), finder, found), one));
    shards.push_back(std::move(shard));
  }
  std::vector<std::string> remarks = found.left_out.Remarks();
  if (found.places.empty() && found.listed.empty()) {
    return InvalidArgument(fmt::format("{} has no record with a photo{}{}", path,
                                       remarks.empty() ? "" : "\n  ", fmt::join(remarks, "\n  ")));
  }
  if (!found.places.empty() && !found.listed.empty()) {
    return InvalidArgument(fmt::format("{} has pictures in {} records and paths in {}", path,
                                       found.places.size(), found.listed.size()));
  }
  if (found.places.empty()) {
    ImageList list = FindListed(found.listed, base);
    list.remarks.insert(list.remarks.end(), remarks.begin(), remarks.end());
    return OpenListed(path, base, missing, std::move(list));
  }
  return std::make_unique<TfRecordSource>(std::move(shards), std::move(found.places),
                                          DenseLabelsOf(found.labels), std::move(remarks));
}

}  // namespace facegate
