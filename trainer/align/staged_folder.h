#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "face/base/status.h"

namespace facegate {

// A folder into which files come whole: each is written in ".unfinished" below it, which readers of
// folders skip, and is then given its name. A process that dies leaves unfinished files only there.
class StagedFolder {
 public:
  explicit StagedFolder(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string PathOf(std::string_view name) const;
  std::string UnfinishedPath(std::string_view name = {}) const;

  // Makes the folder and the one within. Thread-safe.
  Status Make() const;
  // Removes what an earlier process left unfinished, but for the file `kept`.
  Status Clear(std::string_view kept) const;
  // Writes the file `name`, which may have folders in front; those, and this folder, are made where
  // they are absent. Thread-safe for different names.
  Status Put(const std::string& name, std::string_view bytes);
  // Gives the unfinished file of this name its place.
  Status Publish(const std::string& name) const;
  // All that was put survives a power loss.
  Status Sync();
  // Removes ".unfinished".
  Status Close() const;

 private:
  const std::string path_;
  std::atomic<size_t> next_ = 0;
  std::atomic<bool> unsynced_ = false;
};

}  // namespace facegate
