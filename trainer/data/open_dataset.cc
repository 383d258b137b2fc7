#include "trainer/data/open_dataset.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

#include "trainer/data/pack_dataset.h"
#include "trainer/data/pack_format.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

// So many bytes at the start of a file tell text from anything else.
constexpr size_t kLookedAt = 4096;

std::string RootOfList(const std::string& path, const std::string& root) {
  return root.empty() ? fs::path(path).parent_path().string() : root;
}

}  // namespace

StatusOr<DatasetForm> FormOfDataset(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return NotFound(fmt::format("{}: no such file or folder", path));
  if (fs::is_directory(status)) return DatasetForm::kFolder;
  if (!fs::is_regular_file(status)) {
    return InvalidArgument(fmt::format("{} is neither a file nor a folder", path));
  }
  std::array<char, kLookedAt> buffer{};
  std::ifstream file(path, std::ios::binary);
  if (!file) return FailedPrecondition(fmt::format("cannot open {}", path));
  file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
  const std::string_view start(buffer.data(), static_cast<size_t>(file.gcount()));
  if (LooksLikePack(start)) return DatasetForm::kPack;
  if (start.find('\0') != std::string_view::npos) {
    return InvalidArgument(fmt::format(
        "{} is neither a list of photos (text) nor a pack made by facegate-train pack", path));
  }
  return DatasetForm::kList;
}

StatusOr<ImageList> OpenImageList(const std::string& path, const std::string& root) {
  FACEGATE_ASSIGN_OR_RETURN(const DatasetForm form, FormOfDataset(path));
  switch (form) {
    case DatasetForm::kFolder:
      return ReadImageFolder(path);
    case DatasetForm::kList:
      return ReadImageList(path, RootOfList(path, root));
    case DatasetForm::kPack:
      break;
  }
  return InvalidArgument(fmt::format("{} is a pack; expected a folder or a list", path));
}

StatusOr<std::unique_ptr<PhotoSource>> OpenPhotoSource(const std::string& path,
                                                       const std::string& root) {
  FACEGATE_ASSIGN_OR_RETURN(const DatasetForm form, FormOfDataset(path));
  if (form == DatasetForm::kPack) return OpenPackSource(path);
  FACEGATE_ASSIGN_OR_RETURN(ImageList list, OpenImageList(path, root));
  return MakeListSource(std::move(list),
                        form == DatasetForm::kFolder ? path : RootOfList(path, root));
}

StatusOr<std::unique_ptr<Dataset>> OpenDataset(const std::string& path, const std::string& root) {
  FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<PhotoSource> source, OpenPhotoSource(path, root));
  return MakeDecodedDataset(std::move(source));
}

}  // namespace facegate
