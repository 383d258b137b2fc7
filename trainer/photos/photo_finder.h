#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace facegate {

// Finds the photos that lists name, however the names were written. Not thread-safe.
class PhotoFinder {
 public:
  // Paths in lists are relative to `root`, unless they are absolute.
  explicit PhotoFinder(std::string root) : root_(std::move(root)) {}

  // The name as it is, below the root where it is relative; whether or not a file is there.
  std::string PathOf(const std::string& name) const;

  // The path of the photo that `name` means: the file of this very name; else with "/" for the
  // "\" of Windows; else a picture of the same name with another ending (a.JPEG or a.png for
  // a.jpg, or for a). Nothing where there is none.
  std::optional<std::string> Find(const std::string& name);

  // The first two steps of Find() alone.
  std::optional<std::string> FindExactly(const std::string& name) const;

  // Returns what Find() finds, as a name: `name` with the ending and the slashes of the file.
  std::optional<std::string> FindName(const std::string& name);

 private:
  using Folder = std::unordered_map<std::string, std::vector<std::string>>;
  // The pictures of a folder, by their names without endings.
  const Folder& PicturesIn(const std::string& folder);

  const std::string root_;
  std::unordered_map<std::string, Folder> folders_;
};

// Says why photos of a list are not where they should be: how many, the first few, and what to do.
// `names` are those in the list, `root` is where they were looked for, and `advice` ends the
// message ("--skip-missing leaves them out").
std::string MissingPhotosMessage(const std::vector<std::string>& names, size_t of,
                                 const std::string& root, const std::string& advice);

}  // namespace facegate
