#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "face/base/status.h"

namespace facegate {

struct LabelledImage {
  std::string path;
  uint32_t label = 0;  // index in ImageList::classes
};

// Says which photos show whom. Labels are dense, whatever numbers or names a list uses: 0 to
// classes - 1 in the order of numbers where all are numbers, of names otherwise.
struct ImageList {
  std::vector<LabelledImage> images;
  std::vector<std::string> classes{};  // what the list calls them
  // The photos that are not there, as the list names them, by their numbers in `images`.
  std::vector<std::pair<size_t, std::string>> missing{};
  // Tells people how the list was read and what was left out, a line each.
  std::vector<std::string> remarks{};
};

// A photo as a list names it, and what the list calls its identity.
struct ListedPhoto {
  std::string path;
  std::string label;
};

// Looks for the photos as PhotoFinder::Find() does, relative to `root`; those that are not there
// are in `missing`.
ImageList FindListed(const std::vector<ListedPhoto>& photos, const std::string& root);

// DIR/IDENTITY/PHOTO: each folder an identity, in the order of names. Which files are photos is
// TakesPhoto()'s choice; what is left out, photos beside the folders and folders further down
// included, is in the remarks. kInvalidArgument when nothing is left.
StatusOr<ImageList> ReadImageFolder(const std::string& directory);

// A text file with a photo in each line, in one of the forms
//   PATH LABEL        blanks or a tab separate them; paths may hold blanks
//   LABEL;PATH        the form of bubbliiiing's cls_train.txt
//   PATH,LABEL        CSV by RFC 4180, also with semicolons or tabs
// in any order and among other columns; LayoutOfList() tells which. Rows of a CSV whose path is
// empty are left out, with a remark. Photos are looked for by FindListed(). See ReadListText() and
// ForEachRow() for encodings and line ends. kInvalidArgument names file and line.
StatusOr<ImageList> ReadImageList(const std::string& path, const std::string& root);

}  // namespace facegate
