#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "trainer/photos/photo_source.h"

// The formats in which sets of photos come: a format is a row of the table in dataset_format.cc and
// a file that recognises and opens it.
namespace facegate {

// A file or a folder as the formats look at it.
struct DatasetCandidate {
  std::string path;
  bool is_folder = false;
  std::string start{};  // the first bytes of a file, 4096 where it has as many
};

struct DatasetFormat {
  std::string_view name;
  // Says what the candidate is, in words that follow its path; nothing where it is of no such
  // format.
  std::optional<std::string> (*sniff)(const DatasetCandidate& candidate);
  // Opens a set that sniff() recognised; `root` and `missing` are those of OpenPhotoSource(). Null
  // where the format is not read.
  StatusOr<std::unique_ptr<PhotoSource>> (*open)(const std::string& path, const std::string& root,
                                                 MissingPhotos missing);
  std::string_view way_out{};  // what to do with a set that is not read
};

// Each format comes before those that would take its sets for their own.
std::span<const DatasetFormat> DatasetFormats();

// kNotFound where nothing is at `path`, kInvalidArgument where it is neither a file nor a folder.
StatusOr<DatasetCandidate> LookAtDataset(const std::string& path);

// The names of formats that others must know.
inline constexpr std::string_view kFolderFormat = "folder";
inline constexpr std::string_view kListFormat = "list";
inline constexpr std::string_view kPackFormat = "pack";

// The format in which the set at `path` is read. kInvalidArgument, naming what it is and the way
// out, for a set that is not read here and for other bytes that are not text; kNotFound where
// nothing is.
StatusOr<const DatasetFormat*> FormatOfDataset(const std::string& path);

// Says what the file or folder at `path` is and the way out, in a sentence that begins with a verb,
// where a row without `open` recognises it. Nothing where it may be one of ours.
std::optional<std::string> ForeignDatasetAdvice(const std::string& path);

}  // namespace facegate
