#include "trainer/align/crop_store.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "trainer/photos/pack_writer.h"

namespace facegate {
namespace {

class FolderStore final : public CropStore {
 public:
  explicit FolderStore(StagedFolder& folder) : folder_(folder) {}

  Status Put(const std::string& path, std::string_view image) override {
    return folder_.Put(path, image);
  }
  Status Add(const std::string& /*identity*/, const std::string& /*path*/,
             std::string_view /*image*/) override {
    return OkStatus();
  }
  StatusOr<bool> AddLeft(const std::string& /*identity*/,
                         std::span<const std::string> paths) override {
    return std::ranges::all_of(paths, [this](const std::string& path) {
      std::error_code error;
      const auto bytes = std::filesystem::file_size(folder_.PathOf(path), error);
      return !error && bytes > 0;
    });
  }
  Status Sync() override { return folder_.Sync(); }
  Status Finish() override { return OkStatus(); }

 private:
  StagedFolder& folder_;
};

class PackStore final : public CropStore {
 public:
  explicit PackStore(std::unique_ptr<PackWriter> writer) : writer_(std::move(writer)) {}

  Status Put(const std::string& /*path*/, std::string_view /*image*/) override {
    return OkStatus();
  }
  Status Add(const std::string& identity, const std::string& path,
             std::string_view image) override {
    if (classes_.empty() || classes_.back() != identity) classes_.push_back(identity);
    const auto label = static_cast<uint32_t>(classes_.size() - 1);
    return writer_->Append({.label = label, .name = path, .image = image});
  }
  StatusOr<bool> AddLeft(const std::string& identity, std::span<const std::string> paths) override {
    std::vector<std::string> images;
    for (const std::string& path : paths) {
      std::optional<std::string> image = writer_->ImageOf(path);
      if (!image.has_value()) return false;
      images.push_back(*std::move(image));
    }
    for (size_t i = 0; i < paths.size(); ++i) {
      FACEGATE_RETURN_IF_ERROR(Add(identity, paths[i], images[i]));
    }
    return true;
  }
  // Records have sums, so that the next writer sees what a power loss took.
  Status Sync() override { return writer_->Flush(); }
  Status Finish() override { return writer_->Finish(classes_).status(); }

 private:
  const std::unique_ptr<PackWriter> writer_;
  std::vector<std::string> classes_;
};

}  // namespace

std::unique_ptr<CropStore> MakeFolderStore(StagedFolder& folder) {
  return std::make_unique<FolderStore>(folder);
}

StatusOr<std::unique_ptr<CropStore>> OpenPackStore(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<PackWriter> writer, PackWriter::Open(path));
  return std::make_unique<PackStore>(std::move(writer));
}

}  // namespace facegate
