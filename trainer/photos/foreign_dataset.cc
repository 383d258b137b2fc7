#include "trainer/photos/foreign_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "face/base/file_kind.h"
#include "face/image/image_format.h"
#include "trainer/photos/bcolz_pairs.h"
#include "trainer/photos/memfile_pairs.h"
#include "trainer/photos/pickled_pairs.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// True of a folder of folders that `is_set` knows.
bool HoldsSets(const DatasetCandidate& candidate, bool (*is_set)(const DatasetCandidate&)) {
  std::error_code error;
  if (!candidate.is_folder) return false;
  for (fs::directory_iterator entry(candidate.path, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    const bool is_folder = entry->is_directory(ignored);
    if (is_folder && is_set({.path = entry->path().string(), .is_folder = true})) return true;
  }
  return false;
}

// "P5 112 96 255": behind its two letters a map has its width and height. A list may begin with a
// label of these letters.
bool BeginsLikeMap(std::string_view start) {
  constexpr std::string_view kBlanks = " \t\r\n";
  start.remove_prefix(2);
  for (int number = 0; number < 2; ++number) {
    start.remove_prefix(std::min(start.find_first_not_of(kBlanks), start.size()));
    while (start.starts_with('#')) {
      start.remove_prefix(std::min(start.find('\n'), start.size()));
      start.remove_prefix(std::min(start.find_first_not_of(kBlanks), start.size()));
    }
    const size_t digits = std::min(start.find_first_not_of("0123456789"), start.size());
    if (digits == 0 && !start.empty()) return false;
    start.remove_prefix(digits);
    if (!start.empty() && kBlanks.find(start.front()) == std::string_view::npos) return false;
  }
  return true;
}

bool IsArchive(std::string_view kind) { return kind.find("archive") != std::string_view::npos; }

}  // namespace

std::optional<std::string> SniffLmdb(const DatasetCandidate& candidate) {
  if (!candidate.is_folder || !Exists(fs::path(candidate.path) / "data.mdb")) return std::nullopt;
  return "is an LMDB database";
}

std::optional<std::string> SniffMemfile(const DatasetCandidate& candidate) {
  if (SniffMemfilePairs(candidate)) {
    return fmt::format("{} a memory-mapped array (AdaFace's memfile)",
                       candidate.is_folder ? "holds" : "is");
  }
  if (!HoldsSets(candidate, SniffMemfilePairs)) return std::nullopt;
  return "holds memory-mapped arrays (AdaFace's memfile)";
}

std::optional<std::string> SniffBcolz(const DatasetCandidate& candidate) {
  if (SniffBcolzPairs(candidate)) return "is a bcolz array";
  if (!HoldsSets(candidate, SniffBcolzPairs)) return std::nullopt;
  return "holds bcolz arrays";
}

std::optional<std::string> SniffPickle(const DatasetCandidate& candidate) {
  if (!LooksLikePickle(candidate.start)) return std::nullopt;
  return "is a Python pickle (InsightFace's .bin of pairs is one)";
}

std::optional<std::string> SniffArchive(const DatasetCandidate& candidate) {
  const std::string_view kind = FileKindName(candidate.start);
  if (!IsArchive(kind)) return std::nullopt;
  return fmt::format("is {}", kind);
}

std::optional<std::string> SniffOtherKind(const DatasetCandidate& candidate) {
  const std::string_view kind = FileKindName(candidate.start);
  if (kind.empty() || IsArchive(kind)) return std::nullopt;
  return fmt::format("is {}", kind);
}

std::optional<std::string> SniffPicture(const DatasetCandidate& candidate) {
  const ImageFormat format = SniffImageFormat(candidate.start);
  if (!IsDecodable(format) && !IsHeif(format)) return std::nullopt;
  if (format == ImageFormat::kPgm && !BeginsLikeMap(candidate.start)) return std::nullopt;
  return fmt::format("is a picture, {}", NameWithArticle(format));
}

std::optional<std::string> SniffPlaceholder(const DatasetCandidate& candidate) {
  const ImageFormat format = SniffImageFormat(candidate.start);
  if (format != ImageFormat::kGitLfsPointer && format != ImageFormat::kHtml) return std::nullopt;
  return fmt::format("is {}, not the file itself", NameWithArticle(format));
}

}  // namespace facegate
