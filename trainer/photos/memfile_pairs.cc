#include "trainer/photos/memfile_pairs.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "face/base/file.h"
#include "trainer/photos/array_facts.h"
#include "trainer/photos/float_pairs.h"
#include "trainer/photos/mapped_file.h"
#include "trainer/photos/photo_files.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr char kFolder[] = "memfile";
constexpr char kValues[] = "mem_file.dat";
constexpr char kEnding[] = ".conf";

// The file of the values; empty where the path leads to none.
fs::path ValuesOf(const std::string& path, bool is_folder) {
  fs::path whole = WholePath(path);
  if (!is_folder) {
    if (whole.filename() == kValues) return whole;
    const bool is_conf = whole.filename() == std::string(kValues) + kEnding;
    return is_conf ? whole.parent_path() / kValues : fs::path();
  }
  std::error_code error;
  for (const fs::path& values : {whole / kFolder / kValues, whole / kValues}) {
    if (fs::is_regular_file(values, error)) return values;
  }
  return {};
}

}  // namespace

StatusOr<size_t> ParseMemfileConf(std::string_view json) {
  FACEGATE_ASSIGN_OR_RETURN(const ArrayFacts facts, ArrayFacts::Parse(json));
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<size_t> shape, facts.Sizes("shape"));
  FACEGATE_ASSIGN_OR_RETURN(const std::string type, facts.Text("dtype"));
  return CountFloatPictures(type, shape);
}

bool SniffMemfilePairs(const DatasetCandidate& candidate) {
  return !ValuesOf(candidate.path, candidate.is_folder).empty();
}

StatusOr<PairSet> OpenMemfilePairs(const std::string& path) {
  std::error_code error;
  const fs::path values = ValuesOf(path, fs::is_directory(path, error));
  const std::string conf = values.string() + kEnding;
  FACEGATE_ASSIGN_OR_RETURN(const std::string json, ReadFile(conf, kMaxArrayFactsBytes));
  const StatusOr<size_t> pictures = ParseMemfileConf(json);
  if (!pictures.ok()) {
    return InvalidArgument(fmt::format("{} {}", conf, MessageOf(pictures.status())));
  }
  FACEGATE_ASSIGN_OR_RETURN(std::shared_ptr<const MappedFile> file,
                            MappedFile::Open(values.string()));
  if (file->bytes().size() != *pictures * kBytesOfPicture) {
    return InvalidArgument(fmt::format("{} has {} bytes, {} pictures need {}", values.string(),
                                       file->bytes().size(), *pictures,
                                       *pictures * kBytesOfPicture));
  }
  const fs::path folder = values.parent_path();
  const fs::path set = folder.filename() == kFolder ? folder.parent_path() : folder;
  return MakeFloatPairs(set.string(), *pictures, [file = std::move(file)](size_t i) {
    return StatusOr<std::string>(file->bytes().substr(i * kBytesOfPicture, kBytesOfPicture));
  });
}

}  // namespace facegate
