#include "trainer/photos/foreign_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include "face/base/file_kind.h"
#include "face/image/image_format.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kWayOut =
    "Write its pictures as files into DIR/IDENTITY/PHOTO, which is read here";
constexpr std::string_view kUnpack = "Unpack it; a folder DIR/IDENTITY/PHOTO is read here";
constexpr std::string_view kPairs =
    "Write its pictures as files and its pairs as a list (PHOTO PHOTO 0|1), which is read here";

std::string StartOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, kFileKindBytes> bytes{};
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return {bytes.data(), static_cast<size_t>(file.gcount())};
}

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// The folders of bcolz, LMDB and memory-mapped arrays.
std::optional<std::string> FolderAdvice(const fs::path& folder) {
  if (Exists(folder / "data.mdb")) return fmt::format("is an LMDB database. {}", kWayOut);
  if (Exists(folder / "mem_file.dat") || Exists(folder / "mem_file.conf")) {
    return fmt::format("holds a memory-mapped array (AdaFace's memfile). {}", kPairs);
  }
  if (Exists(folder / "meta/storage")) return fmt::format("is a bcolz array. {}", kPairs);
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& path = entry->path();
    if (Exists(path / "meta/storage")) return fmt::format("holds bcolz arrays. {}", kPairs);
    const std::string ending = path.extension().string();
    if (ending == ".rec") {
      return fmt::format("holds an MXNet RecordIO file ({}). {}", path.filename().string(),
                         kWayOut);
    }
    if (path.filename().string().find(".tfrecord") != std::string::npos) {
      return fmt::format("holds TFRecord files ({}). {}", path.filename().string(), kWayOut);
    }
  }
  return std::nullopt;
}

// Lines of two numbers, as the index beside a .rec has them.
bool IsRecordIndex(std::string_view text) {
  const size_t tab = text.find('\t');
  const size_t end = text.find('\n');
  if (tab == std::string_view::npos || end == std::string_view::npos || tab > end) return false;
  const auto is_number = [](std::string_view field) {
    return !field.empty() && field.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return is_number(text.substr(0, tab)) && is_number(text.substr(tab + 1, end - tab - 1));
}

std::optional<std::string> NamedFileAdvice(const fs::path& path, std::string_view start) {
  const std::string name = path.filename().string();
  const std::string ending = path.extension().string();
  if (ending == ".idx" && IsRecordIndex(start)) {
    return fmt::format("is the index of an MXNet RecordIO file (.rec). {}", kWayOut);
  }
  if (name.find(".tfrecord") != std::string::npos) {
    return fmt::format("is a TFRecord file. {}", kWayOut);
  }
  if (start.size() > 1 && start[0] == '\x80' && start[1] >= '\x02' && start[1] <= '\x05') {
    return fmt::format("is a Python pickle (InsightFace's .bin of pairs is one). {}", kPairs);
  }
  if (name == "mem_file.dat" || name == "mem_file.conf") {
    return fmt::format("is a memory-mapped array (AdaFace's memfile). {}", kPairs);
  }
  return std::nullopt;
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

}  // namespace

std::optional<std::string> ForeignDatasetAdvice(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return FolderAdvice(path);
  const std::string start = StartOf(path);
  if (auto advice = NamedFileAdvice(path, start); advice.has_value()) return advice;
  if (const std::string_view kind = FileKindName(start); !kind.empty()) {
    return fmt::format("is {}. {}", kind,
                       kind.find("archive") != std::string_view::npos ? kUnpack : kWayOut);
  }
  const ImageFormat format = SniffImageFormat(start);
  if (format == ImageFormat::kPgm && !BeginsLikeMap(start)) return std::nullopt;
  if (IsDecodable(format) || IsHeif(format)) {
    return fmt::format("is a picture, {}. Expected a folder DIR/IDENTITY/PHOTO, a list or a pack",
                       NameWithArticle(format));
  }
  if (format == ImageFormat::kGitLfsPointer || format == ImageFormat::kHtml) {
    return fmt::format("is {}, not the file itself. Download it again", NameWithArticle(format));
  }
  return std::nullopt;
}

}  // namespace facegate
