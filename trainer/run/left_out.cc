#include "trainer/run/left_out.h"

#include <filesystem>

#include "trainer/photos/photo_files.h"
#include "trainer/photos/text_lines.h"

namespace facegate {

StatusOr<LeaveOutList> LeaveOutList::Read(const std::string& path, const std::string& root) {
  namespace fs = std::filesystem;
  LeaveOutList left_out;
  if (path.empty()) return left_out;
  FACEGATE_ASSIGN_OR_RETURN(left_out.lines_, ReadLines(path));
  left_out.matched_.resize(left_out.lines_.size());
  for (size_t i = 0; i < left_out.lines_.size(); ++i) {
    const fs::path line = left_out.lines_[i];
    std::vector<fs::path> names = {line};
    if (root.empty()) {
      names.push_back(WholePath((fs::path(path).parent_path() / line).string()));
      names.push_back(WholePath(line.string()));
    } else {
      names.push_back(WholePath((fs::path(root) / line).string()));
    }
    for (const fs::path& name : names) left_out.places_.emplace(name.string(), i);
  }
  return left_out;
}

bool LeaveOutList::Contains(const std::string& name) {
  const auto [begin, end] = places_.equal_range(name);
  for (auto line = begin; line != end; ++line) matched_[line->second] = true;
  return begin != end;
}

std::vector<std::string> LeaveOutList::Unmatched() const {
  std::vector<std::string> unmatched;
  for (size_t i = 0; i < lines_.size(); ++i) {
    if (!matched_[i]) unmatched.push_back(lines_[i]);
  }
  return unmatched;
}

}  // namespace facegate
