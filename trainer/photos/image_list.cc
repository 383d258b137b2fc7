#include "trainer/photos/image_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "face/base/counted.h"
#include "trainer/photos/list_layout.h"
#include "trainer/photos/list_text.h"
#include "trainer/photos/photo_files.h"
#include "trainer/photos/photo_finder.h"
#include "trainer/photos/text_table.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

// A line's photo and what the list calls its identity.
struct Entry {
  std::string path;
  std::string label;
};

std::optional<int64_t> NumberOf(const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Labels as the list has them, in the order of numbers where all are numbers, else of names.
std::vector<std::string> OrderedLabels(const std::vector<Entry>& entries) {
  std::vector<std::string> labels;
  labels.reserve(entries.size());
  for (const Entry& entry : entries) labels.push_back(entry.label);
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  const bool numbers = std::all_of(labels.begin(), labels.end(), [](const std::string& one) {
    return NumberOf(one).has_value();
  });
  if (numbers) {
    std::sort(labels.begin(), labels.end(), [](const std::string& a, const std::string& b) {
      return std::pair(*NumberOf(a), a) < std::pair(*NumberOf(b), b);
    });
  }
  return labels;
}

// The lines of a list as they are. A row of named columns without a photo is one that somebody has
// taken out; those are counted.
StatusOr<std::vector<Entry>> ReadEntries(const std::string& path, const std::string& text,
                                         const ListLayout& layout, size_t& without_photo) {
  std::vector<Entry> entries;
  bool header = layout.has_header;
  const Status status = ForEachRow(text, layout.separator, [&](const TextRow& row) {
    if (std::exchange(header, false)) return OkStatus();
    const size_t label_column = layout.label_column.value_or(0);
    const bool whole = std::max(layout.path_column, label_column) < row.fields.size();
    if (whole && layout.has_header && row.fields[layout.path_column].empty()) {
      ++without_photo;
      return OkStatus();
    }
    if (!whole || row.fields[layout.path_column].empty() || row.fields[label_column].empty()) {
      return InvalidArgument(fmt::format("line {}: expected {}", row.line, layout.Expected()));
    }
    entries.push_back({.path = row.fields[layout.path_column], .label = row.fields[label_column]});
    return OkStatus();
  });
  if (!status.ok()) return Annotate(status, path);
  if (entries.empty()) return InvalidArgument(fmt::format("{} names no photo", path));
  return entries;
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
    for (const std::string& line : left_out_.Lines()) {
      list_.remarks.push_back("left out: " + line);
    }
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

StatusOr<ImageList> ReadImageList(const std::string& path, const std::string& root) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadListText(path));
  PhotoFinder finder(root);
  StatusOr<ListLayout> layout = LayoutOfList(text, finder, LabelRule::kNeeded);
  if (!layout.ok()) return Annotate(layout.status(), path);
  size_t without_photo = 0;
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<Entry> entries,
                            ReadEntries(path, text, *layout, without_photo));
  ImageList list{.images = {}, .classes = OrderedLabels(entries)};
  if (!layout->remark.empty()) list.remarks.push_back(layout->remark);
  if (without_photo > 0) {
    list.remarks.push_back(
        fmt::format("left out: {} without a photo", Counted(without_photo, "row is", "rows are")));
  }
  std::map<std::string_view, uint32_t> labels;
  for (size_t i = 0; i < list.classes.size(); ++i) {
    labels.emplace(list.classes[i], static_cast<uint32_t>(i));
  }
  list.images.reserve(entries.size());
  size_t renamed = 0;
  for (const Entry& entry : entries) {
    std::optional<std::string> found = finder.Find(entry.path);
    if (!found.has_value()) list.missing.emplace_back(list.images.size(), entry.path);
    renamed += found.has_value() && *found != finder.PathOf(entry.path) ? 1 : 0;
    list.images.push_back(
        {.path = found.has_value() ? *std::move(found) : finder.PathOf(entry.path),
         .label = labels.at(entry.label)});
  }
  if (renamed > 0) {
    list.remarks.push_back(fmt::format("{} found under another ending, or with / for \\",
                                       Counted(renamed, "photo was", "photos were")));
  }
  return list;
}

}  // namespace facegate
