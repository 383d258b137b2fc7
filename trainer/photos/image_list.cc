#include "trainer/photos/image_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "face/base/counted.h"
#include "trainer/photos/dense_labels.h"
#include "trainer/photos/list_layout.h"
#include "trainer/photos/list_text.h"
#include "trainer/photos/photo_files.h"
#include "trainer/photos/photo_finder.h"
#include "trainer/photos/text_table.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

struct ListLines {
  std::vector<ListedPhoto> photos;
  size_t without_path = 0;
};

// The lines of a list as they are.
StatusOr<ListLines> ReadLinesOf(const std::string& path, const std::string& text,
                                const ListLayout& layout) {
  ListLines lines;
  bool header = layout.has_header;
  const Status status = ForEachRow(text, layout.separator, [&](const TextRow& row) {
    if (std::exchange(header, false)) return OkStatus();
    const size_t label_column = layout.label_column.value_or(0);
    const bool whole = std::max(layout.path_column, label_column) < row.fields.size();
    if (whole && IsCsv(layout.separator) && row.fields[layout.path_column].empty()) {
      ++lines.without_path;
      return OkStatus();
    }
    if (!whole || row.fields[layout.path_column].empty() || row.fields[label_column].empty()) {
      return InvalidArgument(fmt::format("line {}: expected {}", row.line, layout.Expected()));
    }
    lines.photos.push_back(
        {.path = row.fields[layout.path_column], .label = row.fields[label_column]});
    return OkStatus();
  });
  if (!status.ok()) return Annotate(status, path);
  if (lines.photos.empty()) return InvalidArgument(fmt::format("{} names no photo", path));
  return lines;
}

bool IsFolder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

// Reads DIR/IDENTITY/PHOTO.
class FolderReader {
 public:
  explicit FolderReader(const std::string& directory) : directory_(directory) {}

  StatusOr<ImageList> Read() {
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesInFolder(directory_));
    for (const std::string& name : names) {
      const fs::path path = fs::path(directory_) / name;
      if (SkipsSystemName(name, name, left_out_)) continue;
      if (IsFolder(path)) {
        FACEGATE_RETURN_IF_ERROR(ReadIdentity(name, path));
      } else if (TakesPhoto(path.string(), name, left_out_)) {
        left_out_.Add("photos beside the folders of identities", name);
      }
    }
    list_.remarks = left_out_.Remarks();
    if (list_.images.empty()) return InvalidArgument(Nothing());
    return std::move(list_);
  }

 private:
  Status ReadIdentity(const std::string& identity, const fs::path& folder) {
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesInFolder(folder.string()));
    const auto label = static_cast<uint32_t>(list_.classes.size());
    const size_t before = list_.images.size();
    for (const std::string& name : names) {
      const fs::path path = folder / name;
      const std::string shown = fmt::format("{}/{}", identity, name);
      if (SkipsSystemName(name, shown, left_out_)) continue;
      if (IsFolder(path)) {
        left_out_.Add("folders within the folder of an identity", shown);
      } else if (TakesPhoto(path.string(), shown, left_out_)) {
        list_.images.push_back({.path = path.string(), .label = label});
      }
    }
    if (list_.images.size() > before) list_.classes.push_back(identity);
    return OkStatus();
  }

  std::string Nothing() const {
    std::string message =
        fmt::format("{} has no folders with photos; expected DIR/IDENTITY/PHOTO", directory_);
    for (const std::string& remark : list_.remarks) message += "\n  " + remark;
    return message;
  }

  const std::string directory_;
  ImageList list_{.images = {}};
  LeftOut left_out_;
};

}  // namespace

StatusOr<ImageList> ReadImageFolder(const std::string& directory) {
  return FolderReader(directory).Read();
}

ImageList FindListed(const std::vector<ListedPhoto>& photos, const std::string& root) {
  std::vector<std::string> names;
  names.reserve(photos.size());
  for (const ListedPhoto& photo : photos) names.push_back(photo.label);
  DenseLabels dense = DenseLabelsOf(names);
  ImageList list{.images = {}, .classes = std::move(dense.classes)};
  list.images.reserve(photos.size());
  PhotoFinder finder(root);
  size_t renamed = 0;
  for (size_t i = 0; i < photos.size(); ++i) {
    std::optional<std::string> found = finder.Find(photos[i].path);
    std::string plain = finder.PathOf(photos[i].path);
    if (!found.has_value()) list.missing.emplace_back(i, photos[i].path);
    renamed += found.has_value() && *found != plain ? 1 : 0;
    list.images.push_back({.path = found.has_value() ? *std::move(found) : std::move(plain),
                           .label = dense.labels[i]});
  }
  if (renamed > 0) {
    list.remarks.push_back(fmt::format("{} found under another ending, or with / for \\",
                                       Counted(renamed, "photo was", "photos were")));
  }
  return list;
}

StatusOr<ImageList> ReadImageList(const std::string& path, const std::string& root) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadListText(path));
  PhotoFinder finder(root);
  StatusOr<ListLayout> layout = LayoutOfList(text, finder, LabelRule::kNeeded);
  if (!layout.ok()) return Annotate(layout.status(), path);
  FACEGATE_ASSIGN_OR_RETURN(const ListLines lines, ReadLinesOf(path, text, *layout));
  ImageList list = FindListed(lines.photos, root);
  if (lines.without_path > 0) {
    list.remarks.insert(list.remarks.begin(), fmt::format("left out: {} without a path",
                                                          Counted(lines.without_path, "line")));
  }
  if (!layout->remark.empty()) list.remarks.insert(list.remarks.begin(), layout->remark);
  return list;
}

}  // namespace facegate
