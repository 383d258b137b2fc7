#include "trainer/photos/pack_dataset.h"

#include <fmt/format.h>

#include <utility>

#include "face/base/coding.h"
#include "face/base/sha256.h"
#include "trainer/photos/mapped_file.h"
#include "trainer/photos/pack_format.h"

namespace facegate {
namespace {

class PackSource final : public PhotoSource {
 public:
  PackSource(std::string path, std::unique_ptr<MappedFile> file, PackView view)
      : path_(std::move(path)), file_(std::move(file)), view_(std::move(view)) {}

  size_t size() const override { return view_.size(); }
  const std::vector<std::string>& classes() const override { return view_.classes(); }
  uint32_t label(size_t i) const override { return view_.label(i); }
  std::string name(size_t i) const override {
    return fmt::format("{}, photo {} ({})", path_, i, view_.Name(i));
  }
  std::string short_name(size_t i) const override { return std::string(view_.Name(i)); }
  StatusOr<std::string> Read(size_t i) const override {
    const StatusOr<PackRecord> record = view_.Record(i);
    if (!record.ok()) return Annotate(record.status(), name(i));
    return std::string(record->image);
  }

 private:
  const std::string path_;
  const std::unique_ptr<MappedFile> file_;
  const PackView view_;  // of the file's bytes
};

}  // namespace

std::optional<std::string> SniffPack(const DatasetCandidate& candidate) {
  if (!LooksLikePack(candidate.start)) return std::nullopt;
  return "is a pack";
}

StatusOr<std::unique_ptr<PhotoSource>> OpenPackSource(const std::string& path,
                                                      const std::string& /*root*/,
                                                      MissingPhotos /*missing*/) {
  FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<MappedFile> file, MappedFile::Open(path));
  StatusOr<PackView> view = PackView::Parse(file->bytes());
  if (!view.ok()) return Annotate(view.status(), path);
  return std::make_unique<PackSource>(path, std::move(file), *std::move(view));
}

StatusOr<std::string> CheckPackDigest(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::unique_ptr<MappedFile> file, MappedFile::Open(path));
  const StatusOr<PackView> view = PackView::Parse(file->bytes());
  if (!view.ok()) return Annotate(view.status(), path);
  Sha256 hash;
  hash.Update(file->bytes().substr(0, file->bytes().size() - kPackFooterBytes));
  if (hash.Digest() != view->digest()) {
    return DataLoss(fmt::format("{} is damaged: its sha256 is not the one in its footer", path));
  }
  return ToHex(view->digest());
}

}  // namespace facegate
