#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "clients/cpp/client_result.h"

namespace facegate {

struct PlannedPerson {
  std::string id{};                             // of the identity
  std::string folder{};                         // its name, as it is on disk
  std::vector<std::filesystem::path> photos{};  // in name order, one or more
};

struct PlanConflict {
  std::string folder;
  std::string message;
};

// What `enroll --dir` is going to send.
struct EnrolmentPlan {
  std::vector<PlannedPerson> people;  // in the order of folder names
  // What was left out or renamed, in words.
  std::vector<std::string> warnings;
  // Folders that are not enrolled because their id is another folder's already.
  std::vector<PlanConflict> conflicts;

  size_t photo_count() const;
};

// An id that the server takes ([A-Za-z0-9][A-Za-z0-9._-]{0,127}): each other byte becomes '_', a
// first character that is no letter or digit gets an 'x' in front, what is too long is cut.
std::string SanitisedId(std::string_view folder);

// Reads the folders right below `dir`; the files with a known extension in them are the photos.
// Hidden folders and files, and files beside the folders, are left out. `first` photos of each
// person, 0 for all. Two folders are never merged: one whose id fits as it is goes before one that
// had to be sanitised, then name order decides, and the other is a conflict.
ClientResult<EnrolmentPlan> PlanEnrolment(const std::filesystem::path& dir, size_t first);

}  // namespace facegate
