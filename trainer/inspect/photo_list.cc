#include "trainer/inspect/photo_list.h"

#include <fmt/format.h>

#include "face/base/counted.h"
#include "face/base/file.h"

namespace facegate {

StatusOr<size_t> WritePhotoList(const std::string& path, std::span<const std::string> names) {
  std::string lines;
  size_t without = 0;
  for (const std::string& name : names) {
    if (name.find_first_of("\r\n") != std::string::npos) {
      without += 1;
    } else {
      lines += name + "\n";
    }
  }
  FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(path, lines));
  return without;
}

std::string NotListedText(size_t without) {
  return fmt::format("{} not in the list, because {}: give {} another name, or remove {}",
                     without == 1 ? "1 photo is" : CountedPhotos(without) + " are",
                     without == 1 ? "its name has a line end" : "their names have line ends",
                     without == 1 ? "it" : "them", without == 1 ? "it" : "them");
}

}  // namespace facegate
