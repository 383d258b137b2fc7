#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/pack_format.h"

namespace facegate {

struct PackSummary {
  uint64_t photos = 0;
  uint64_t bytes = 0;  // of the file
  std::string digest;  // hexadecimal
};

// Writes a pack to PATH.partial and gives it its name when it is whole. A writer that was killed is
// continued by the next one that is given the same photos: records that lie there already are kept
// as long as they are those that are appended, so that the pack has the bytes that one go would
// have given it. One writer at a time. Not thread-safe but for Holds().
class PackWriter {
 public:
  // kFailedPrecondition when another process writes the same pack, or when PATH.partial is
  // something else.
  static StatusOr<std::unique_ptr<PackWriter>> Open(const std::string& path);
  // Leaves PATH.partial as it is, unless Finish() has named it.
  virtual ~PackWriter() = default;

  // Returns how many whole records an earlier writer has left.
  virtual size_t found() const = 0;
  // True when it left one of this name with just this image: that one was checked then.
  // Thread-safe.
  virtual bool Holds(std::string_view name, std::string_view image) const = 0;

  // The image that it left under this name. Nothing where it left none, or it cannot be read.
  // Thread-safe.
  virtual std::optional<std::string> ImageOf(std::string_view name) const = 0;

  virtual Status Append(const PackRecord& record) = 0;
  // A next writer finds all that was appended, however this process ends.
  virtual Status Flush() = 0;
  // Writes index, names and footer, syncs and renames to PATH.
  virtual StatusOr<PackSummary> Finish(std::span<const std::string> classes) = 0;
};

}  // namespace facegate
