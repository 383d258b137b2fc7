#include "trainer/data/text_lines.h"

#include <cstdint>
#include <utility>

#include "face/base/file.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxTextBytes = 1ULL << 30;

}  // namespace

StatusOr<std::vector<std::string>> ReadLines(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxTextBytes));
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = text.find('\n', begin);
    if (end == std::string::npos) end = text.size();
    std::string line = text.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) lines.push_back(std::move(line));
    begin = end + 1;
  }
  return lines;
}

}  // namespace facegate
