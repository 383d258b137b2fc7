#include "trainer/photos/dataset_format.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "trainer/photos/archive_dataset.h"
#include "trainer/photos/digit_dataset.h"
#include "trainer/photos/folder_dataset.h"
#include "trainer/photos/foreign_dataset.h"
#include "trainer/photos/list_dataset.h"
#include "trainer/photos/pack_dataset.h"
#include "trainer/photos/record_io_dataset.h"
#include "trainer/photos/tf_record_dataset.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

// The start of a file tells text from anything else by so many bytes.
constexpr size_t kLookedAt = 4096;

constexpr std::string_view kWriteFiles =
    "Write its pictures as files into DIR/IDENTITY/PHOTO, which is read here";
constexpr std::string_view kUnpack =
    "Unpack it, or pack it again as zip or as tar without compression: these are read here, and so "
    "is a folder DIR/IDENTITY/PHOTO";
constexpr std::string_view kNameRecords = "Name the .rec file beside it, or their folder";
constexpr std::string_view kEvaluate =
    "Sets of pairs are evaluated with: facegate-train eval --pairs, or evaluate.pairs of a recipe";
constexpr std::string_view kGiveSet =
    "Expected a folder DIR/IDENTITY/PHOTO, an archive of one, a list, a pack, RecordIO or TFRecord "
    "files";
constexpr std::string_view kDownload = "Download it again";

// A folder of photos is read as one even where it holds files of others beside them.
constexpr DatasetFormat kFormats[] = {
    {"recordio", SniffRecordIo, OpenRecordIoSource},
    {"tfrecord", SniffTfRecord, OpenTfRecordSource},
    {"mnist", SniffDigits, OpenDigitSource},
    {kFolderFormat, SniffFolder, OpenFolderSource},
    {kPackFormat, SniffPack, OpenPackSource},
    {"lmdb", SniffLmdb, nullptr, kWriteFiles},
    {"memfile", SniffMemfile, nullptr, kEvaluate},
    {"bcolz", SniffBcolz, nullptr, kEvaluate},
    {"zip", SniffZip, OpenZipSource},
    {"tar", SniffTar, OpenTarSource},
    {"recordio-index", SniffRecordIoIndex, nullptr, kNameRecords},
    {"pickle", SniffPickle, nullptr, kEvaluate},
    {"archive", SniffArchive, nullptr, kUnpack},
    {"other", SniffOtherKind, nullptr, kWriteFiles},
    {"picture", SniffPicture, nullptr, kGiveSet},
    {"placeholder", SniffPlaceholder, nullptr, kDownload},
    {kListFormat, SniffList, OpenListSource},
};

std::string AdviceOf(const DatasetFormat& format, const std::string& words) {
  return fmt::format("{}. {}", words, format.way_out);
}

}  // namespace

std::span<const DatasetFormat> DatasetFormats() { return kFormats; }

StatusOr<DatasetCandidate> LookAtDataset(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return NotFound(fmt::format("{}: no such file or folder", path));
  if (fs::is_directory(status)) return DatasetCandidate{.path = path, .is_folder = true};
  if (!fs::is_regular_file(status)) {
    return InvalidArgument(fmt::format("{} is neither a file nor a folder", path));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return FailedPrecondition(fmt::format("cannot open {}", path));
  std::array<char, kLookedAt> start{};
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  return DatasetCandidate{.path = path,
                          .start = {start.data(), static_cast<size_t>(file.gcount())}};
}

StatusOr<const DatasetFormat*> FormatOfDataset(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const DatasetCandidate candidate, LookAtDataset(path));
  for (const DatasetFormat& format : DatasetFormats()) {
    const std::optional<std::string> words = format.sniff(candidate);
    if (!words.has_value()) continue;
    if (format.open != nullptr) return &format;
    return InvalidArgument(fmt::format("{} {}", path, AdviceOf(format, *words)));
  }
  return InvalidArgument(fmt::format(
      "{} is neither a list of photos (text) nor a set of another format that is read here", path));
}

std::optional<std::string> ForeignDatasetAdvice(const std::string& path) {
  const StatusOr<DatasetCandidate> candidate = LookAtDataset(path);
  if (!candidate.ok()) return std::nullopt;
  for (const DatasetFormat& format : DatasetFormats()) {
    if (format.open != nullptr) continue;
    const std::optional<std::string> words = format.sniff(*candidate);
    if (words.has_value()) return AdviceOf(format, *words);
  }
  return std::nullopt;
}

}  // namespace facegate
