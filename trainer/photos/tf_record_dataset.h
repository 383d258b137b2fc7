#pragma once

#include <memory>
#include <optional>
#include <string>

#include "face/base/status.h"
#include "trainer/photos/dataset_format.h"
#include "trainer/photos/photo_source.h"

// The format of TFRecord files of pictures, or of paths of pictures; see tf_record.h.
namespace facegate {

// A file with ".tfrecord" in its name or a record at its begin, or a folder with files of such
// names and without folders of photos.
std::optional<std::string> SniffTfRecord(const DatasetCandidate& candidate);

// The photos of a file, or of all files of a folder in the order of their names. Pictures are read
// where they lie: the files are mapped and must not be shortened while they are open. Opening goes
// from record to record and checks the sums of their lengths; reading a photo checks the sum of its
// record. Paths of pictures are those of a list (see OpenListSource()); where nothing is at one,
// the photo's file name is looked for below `root`. kInvalidArgument for files without photos, and
// where some records have pictures and others paths.
StatusOr<std::unique_ptr<PhotoSource>> OpenTfRecordSource(const std::string& path,
                                                          const std::string& root,
                                                          MissingPhotos missing);

}  // namespace facegate
