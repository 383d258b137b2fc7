#pragma once

#include <optional>
#include <string>

#include "trainer/photos/dataset_format.h"

// These recognise the formats that are not read here: data sets of other programs, and what is no
// data set at all. Each says what the candidate is, see DatasetFormat::sniff.
namespace facegate {

std::optional<std::string> SniffLmdb(const DatasetCandidate& candidate);
// AdaFace's memory-mapped arrays.
std::optional<std::string> SniffMemfile(const DatasetCandidate& candidate);
std::optional<std::string> SniffBcolz(const DatasetCandidate& candidate);
std::optional<std::string> SniffPickle(const DatasetCandidate& candidate);

// These recognise what FileKindName() knows: archives, and the rest.
std::optional<std::string> SniffArchive(const DatasetCandidate& candidate);
std::optional<std::string> SniffOtherKind(const DatasetCandidate& candidate);

std::optional<std::string> SniffPicture(const DatasetCandidate& candidate);
// A file that stands for one that was not downloaded: a pointer of Git LFS, or a page.
std::optional<std::string> SniffPlaceholder(const DatasetCandidate& candidate);

}  // namespace facegate
