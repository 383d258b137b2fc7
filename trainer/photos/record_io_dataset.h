#pragma once

#include <memory>
#include <optional>
#include <string>

#include "face/base/status.h"
#include "trainer/photos/dataset_format.h"
#include "trainer/photos/photo_source.h"

// The format of MXNet's RecordIO files (.rec, with the index .idx beside it); see record_io.h.
namespace facegate {

// A .rec file, or a folder with one and without folders of photos.
std::optional<std::string> SniffRecordIo(const DatasetCandidate& candidate);
// The index alone.
std::optional<std::string> SniffRecordIoIndex(const DatasetCandidate& candidate);

// The photos of a file, or of the file train.rec or the only other one in a folder, read where they
// lie: the file is mapped and must not be shortened while it is open. Opening looks at each record.
// An index that is absent is made anew. Takes no notice of `root` and `missing`. kInvalidArgument
// for a folder with several files none of which is train.rec, and for a file without photos.
StatusOr<std::unique_ptr<PhotoSource>> OpenRecordIoSource(const std::string& path,
                                                          const std::string& root,
                                                          MissingPhotos missing);

}  // namespace facegate
