#include "trainer/photos/text_lines.h"

#include <algorithm>
#include <utility>

#include "trainer/photos/list_text.h"

namespace facegate {

StatusOr<std::vector<std::string>> ReadLines(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadListText(path));
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find_first_of("\r\n", begin), text.size());
    if (end > begin) lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace facegate
