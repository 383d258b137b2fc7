#pragma once

#include <string>

#include "face/base/status.h"
#include "trainer/measure/embedding_set.h"
#include "trainer/measure/group_figures.h"
#include "trainer/measure/photo_quality.h"

// These read what files say of the photos of a set.
namespace facegate {

// Reads a photo's name and its quality from each line, with tabs, commas, semicolons or blanks
// between; a first line that holds no number is a header. kInvalidArgument names the line;
// kNotFound names a photo of the set that the file lacks. Photos without a face in the set have no
// quality.
StatusOr<PhotoQualities> ReadQualities(const std::string& path, const EmbeddingSet& set);

// Reads a photo, or a person (the folder of photos), and its group from each line; a photo's own
// row comes before its person's. A first row that names neither is a header. kInvalidArgument,
// naming the file, where no photo gets a group.
StatusOr<PhotoGroups> ReadGroups(const std::string& path, const EmbeddingSet& set);

}  // namespace facegate
