#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/append_file.h"
#include "face/base/status.h"

namespace facegate {

struct EmbeddingWriterOptions {
  std::string npy{};    // the matrix that is made
  std::string names{};  // the text file with the name of each row
  // Tells in one line what the rows follow from (model, crops and so on): a file that was begun
  // otherwise is not gone on with.
  std::string origin{};
  size_t width = 0;  // values in a row, above 0
  // A photo without an embedding has a row of NaN instead of none.
  bool nan_rows = false;
  // Replaces files that exist, and begins anew where a part is there.
  bool force = false;
};

// Writes embeddings of photos in their order. Until all are written they lie in NPY.partial, and
// what became of each photo in NPY.partial.log; a call that was stopped or killed is continued. Not
// thread-safe.
class EmbeddingWriter {
 public:
  // `photos` are the names of all. A part that was begun with another origin or other photos is put
  // aside, see set_aside(). kFailedPrecondition, naming the file, where one exists that is not to
  // be replaced.
  static StatusOr<std::unique_ptr<EmbeddingWriter>> Open(const EmbeddingWriterOptions& options,
                                                         std::vector<std::string> photos);

  size_t total() const { return photos_.size(); }
  size_t done() const { return faults_.size(); }  // photos dealt with, from the first on
  // Tells of each photo why it has no embedding; empty where it has one.
  const std::vector<std::string>& faults() const { return faults_; }
  size_t bad() const { return bad_; }  // photos without an embedding
  // The place to which a part of another call was moved, NPY.partial.aside; empty without one.
  const std::string& set_aside() const { return set_aside_; }
  size_t rows() const { return options_.nan_rows ? done() : done() - bad_; }

  // Appends what became of the photos from done() on, and the embeddings of those that have one,
  // one after the other. They survive a power loss when this returns.
  Status Append(std::span<const std::string> faults, std::span<const float> rows);
  // Makes the files. kFailedPrecondition unless all photos are done and one has an embedding; where
  // none has one, the message counts the reasons and the part is removed, so that the next call
  // begins anew.
  Status Finish();

 private:
  EmbeddingWriter(EmbeddingWriterOptions options, std::vector<std::string> photos);

  std::string PartPath() const { return options_.npy + ".partial"; }
  std::string LogPath() const { return options_.npy + ".partial.log"; }
  Status GoOn();
  // Moves the part of another call out of the way.
  Status SetAside();
  // "3 × no face, such as a.jpg", the most frequent reason first.
  std::string ReasonCounts() const;
  Status OpenFiles();
  std::string FirstLine() const;
  // The line of a photo in the log.
  std::string LogLine(size_t photo, const std::string& fault) const;
  // The fault in such a line; nothing when it is not the line of this photo.
  std::optional<std::string> FaultIn(std::string_view line, size_t photo) const;

  const EmbeddingWriterOptions options_;
  const std::vector<std::string> photos_;
  std::vector<std::string> faults_;
  size_t bad_ = 0;
  std::string set_aside_;
  std::unique_ptr<AppendFile> part_;
  std::unique_ptr<AppendFile> log_;
};

}  // namespace facegate
