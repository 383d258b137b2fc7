#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "face/base/status.h"

namespace facegate {

struct LabelledImage {
  std::string path;
  uint32_t label = 0;  // index in ImageList::classes
};

// Which photos show whom. Labels are dense, whatever numbers or names a list uses: 0 to classes - 1
// in the order of numbers where all are numbers, of names otherwise.
struct ImageList {
  std::vector<LabelledImage> images;
  std::vector<std::string> classes;  // what the list calls them
};

// DIR/IDENTITY/PHOTO: each folder an identity, in the order of names. Files that are no pictures by
// their name (.jpg .jpeg .png .webp .bmp .ppm .pgm, any case) are left out. kInvalidArgument when
// nothing is left.
StatusOr<ImageList> ReadImageFolder(const std::string& directory);

// A text file with a photo in each line, in one of the forms
//   PATH LABEL        the last blank or tab separates them, so that paths may hold blanks
//   LABEL;PATH        the form of bubbliiiing's cls_train.txt
//   PATH,LABEL        CSV; a first line of names ("path", "file", "image" and "label", "id",
//                     "identity", "class") gives the columns in any order
// told apart by the first line. Paths are relative to `root` unless they are absolute; empty lines
// and "\r\n" are taken. kInvalidArgument names file and line.
StatusOr<ImageList> ReadImageList(const std::string& path, const std::string& root);

}  // namespace facegate
