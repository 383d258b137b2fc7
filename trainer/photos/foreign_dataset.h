#pragma once

#include <optional>
#include <string>

namespace facegate {

// Says what the file or folder at `path` is, where it is a data set of another program that is not
// read here (RecordIO, TFRecord, LMDB, bcolz, archives and so on), a single picture, or no data set
// at all; in a sentence that begins with "is" and ends with the way out. Nothing where it may be
// one of ours.
std::optional<std::string> ForeignDatasetAdvice(const std::string& path);

}  // namespace facegate
