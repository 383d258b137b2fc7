#include "trainer/data/image_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "trainer/data/text_lines.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

bool IsPicture(const fs::path& path) {
  static constexpr std::string_view kEndings[] = {".jpg", ".jpeg", ".png", ".webp",
                                                  ".bmp", ".ppm",  ".pgm"};
  const std::string ending = Lower(path.extension().string());
  return std::find(std::begin(kEndings), std::end(kEndings), ending) != std::end(kEndings);
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// A line's photo and what the list calls its identity.
struct Entry {
  std::string path;
  std::string label;
};

std::optional<Entry> MakeEntry(std::string_view path, std::string_view label) {
  path = Trim(path);
  label = Trim(label);
  if (path.empty() || label.empty()) return std::nullopt;
  return Entry{.path = std::string(path), .label = std::string(label)};
}

// How the lines of a list are to be read.
class LineForm {
 public:
  // `first` is the first line; says whether it is a line of names.
  static LineForm Of(std::string_view first, bool& is_header) {
    is_header = false;
    if (const size_t comma = first.find(','); comma != std::string_view::npos) {
      LineForm form(Kind::kComma);
      is_header = form.ReadHeader(first);
      return form;
    }
    if (first.find(';') != std::string_view::npos) return LineForm(Kind::kSemicolon);
    return LineForm(Kind::kBlank);
  }

  std::optional<Entry> Parse(std::string_view line) const {
    switch (kind_) {
      case Kind::kBlank: {
        line = Trim(line);
        const size_t at = line.find_last_of(" \t");
        if (at == std::string_view::npos) return std::nullopt;
        return MakeEntry(line.substr(0, at), line.substr(at + 1));
      }
      case Kind::kSemicolon: {
        const size_t at = line.find(';');
        if (at == std::string_view::npos) return std::nullopt;
        return MakeEntry(line.substr(at + 1), line.substr(0, at));
      }
      case Kind::kComma: {
        const std::vector<std::string_view> fields = Fields(line);
        if (std::max(path_column_, label_column_) >= fields.size()) return std::nullopt;
        return MakeEntry(fields[path_column_], fields[label_column_]);
      }
    }
    return std::nullopt;
  }

  std::string_view expected() const {
    switch (kind_) {
      case Kind::kBlank:
        return "PATH LABEL";
      case Kind::kSemicolon:
        return "LABEL;PATH";
      case Kind::kComma:
        return "PATH,LABEL, or the columns of the first line";
    }
    return "";
  }

 private:
  enum class Kind { kBlank, kSemicolon, kComma };
  explicit LineForm(Kind kind) : kind_(kind) {}

  static std::vector<std::string_view> Fields(std::string_view line) {
    std::vector<std::string_view> fields;
    for (size_t begin = 0; begin <= line.size();) {
      const size_t end = std::min(line.find(',', begin), line.size());
      fields.push_back(Trim(line.substr(begin, end - begin)));
      begin = end + 1;
    }
    return fields;
  }

  bool ReadHeader(std::string_view line) {
    const std::vector<std::string_view> names = Fields(line);
    std::optional<size_t> path;
    std::optional<size_t> label;
    for (size_t i = 0; i < names.size(); ++i) {
      const std::string name = Lower(names[i]);
      if (name == "path" || name == "file" || name == "image") path = i;
      if (name == "label" || name == "id" || name == "identity" || name == "class") label = i;
    }
    if (!path.has_value() || !label.has_value()) return false;
    path_column_ = *path;
    label_column_ = *label;
    return true;
  }

  Kind kind_;
  size_t path_column_ = 0;
  size_t label_column_ = 1;
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

// The names in a folder, in order.
StatusOr<std::vector<fs::path>> Listing(const fs::path& directory) {
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    paths.push_back(entry->path());
  }
  if (error) {
    return InvalidArgument(fmt::format("{}: {}", directory.string(), error.message()));
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

StatusOr<ImageList> ReadImageFolder(const std::string& directory) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<fs::path> folders, Listing(directory));
  ImageList list;
  for (const fs::path& folder : folders) {
    std::error_code error;
    if (!fs::is_directory(folder, error)) continue;
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<fs::path> files, Listing(folder));
    const auto label = static_cast<uint32_t>(list.classes.size());
    const size_t before = list.images.size();
    for (const fs::path& file : files) {
      if (IsPicture(file)) list.images.push_back({.path = file.string(), .label = label});
    }
    if (list.images.size() > before) list.classes.push_back(folder.filename().string());
  }
  if (list.images.empty()) {
    return InvalidArgument(
        fmt::format("{} has no folders with pictures; expected DIR/IDENTITY/PHOTO", directory));
  }
  return list;
}

StatusOr<ImageList> ReadImageList(const std::string& path, const std::string& root) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<std::string> lines, ReadLines(path));
  if (lines.empty()) return InvalidArgument(fmt::format("{} is empty", path));
  bool has_header = false;
  const LineForm form = LineForm::Of(lines.front(), has_header);
  std::vector<Entry> entries;
  for (size_t i = has_header ? 1 : 0; i < lines.size(); ++i) {
    std::optional<Entry> entry = form.Parse(lines[i]);
    if (!entry.has_value()) {
      return InvalidArgument(fmt::format("{}, line {}: expected {}", path, i + 1, form.expected()));
    }
    entries.push_back(*std::move(entry));
  }
  if (entries.empty()) return InvalidArgument(fmt::format("{} names no photo", path));
  ImageList list{.images = {}, .classes = OrderedLabels(entries)};
  std::map<std::string_view, uint32_t> labels;
  for (size_t i = 0; i < list.classes.size(); ++i) {
    labels.emplace(list.classes[i], static_cast<uint32_t>(i));
  }
  for (const Entry& entry : entries) {
    // An absolute path stays as it is.
    list.images.push_back(
        {.path = (fs::path(root) / entry.path).string(), .label = labels.at(entry.label)});
  }
  return list;
}

}  // namespace facegate
