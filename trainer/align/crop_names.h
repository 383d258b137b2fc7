#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/photos/source_set.h"

namespace facegate {

// The names that an output folder has for files of its own; no identity gets them.
inline constexpr std::string_view kManifestName = "manifest.csv";
inline constexpr std::string_view kRecordName = "align.json";
inline constexpr std::string_view kSheetName = "dropped.png";

// A photo of a set, and how its crops are called.
struct PlannedPhoto {
  size_t source = 0;
  size_t photo = 0;      // number in the source
  size_t identity = 0;   // number in CropPlan::folders
  std::string name{};    // of its crops, without an ending
  std::string ending{};  // of the photo itself, with its dot; may be empty
};

// Says what becomes of each photo of a set, an identity after another. Folders and names are those
// of the photos as far as they are names of files that a reader of folders takes; what is another
// name for one photo or identity gets a number behind it ("1-2"), so that no two are alike.
struct CropPlan {
  std::vector<std::string> folders;  // of the identities
  std::vector<PlannedPhoto> photos;
  std::string digest;  // SHA-256 of the names of identities and photos, hexadecimal
};

CropPlan PlanCrops(const SourceSet& set);

// SHA-256 of the sizes of the photos' files, in the order of the plan; of sources that have the
// photos in them, of the files of those that `paths` names. Photos that are replaced by others
// under the same names have another, but for those of equal sizes; the same bytes written again
// have it.
std::string SizesDigest(const SourceSet& set, const CropPlan& plan,
                        const std::vector<std::string>& paths);

}  // namespace facegate
