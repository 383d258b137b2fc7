#pragma once

#include <string>

#include "face/base/status.h"
#include "trainer/photos/photo_job.h"

namespace facegate {

enum class ListForm {
  kCls,  // "LABEL;PATH" in each line: bubbliiiing's cls_train.txt
  kCsv   // "path,identity,label" (RFC 4180) with these names in its first line
};

// Writes a list of all photos of the sources, with whole paths and labels from 0 on. The photos are
// not read: min_photos counts those that are named, and `crop` and `threads` do nothing. The list
// is written beside its name and renamed. kInvalidArgument for sources whose photos are no files of
// their own, and for a path that the form cannot hold.
StatusOr<PhotoJobReport> WriteList(const PhotoJobOptions& options, ListForm form,
                                   const std::string& out);

}  // namespace facegate
