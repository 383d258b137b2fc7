#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "trainer/align/staged_folder.h"

namespace facegate {

// Where crops go: files of a folder, or records of a pack.
class CropStore {
 public:
  virtual ~CropStore() = default;

  // A crop is made, in whatever order. `path` is IDENTITY/FILE, another one for each crop; `image`
  // is encoded. Thread-safe.
  virtual Status Put(const std::string& path, std::string_view image) = 0;
  // The same crops once more, those of an identity after those of another, in one order in each
  // run. On one thread.
  virtual Status Add(const std::string& identity, const std::string& path,
                     std::string_view image) = 0;
  // Adds the crops of these paths, if an earlier run left all of them; says whether.
  virtual StatusOr<bool> AddLeft(const std::string& identity,
                                 std::span<const std::string> paths) = 0;
  // What was added survives a kill, and after a power loss is there whole or not at all for
  // AddLeft().
  virtual Status Sync() = 0;
  // All crops are added, one at least.
  virtual Status Finish() = 0;
};

// `folder` outlives it.
std::unique_ptr<CropStore> MakeFolderStore(StagedFolder& folder);
// Errors are those of PackWriter::Open().
StatusOr<std::unique_ptr<CropStore>> OpenPackStore(const std::string& path);

}  // namespace facegate
