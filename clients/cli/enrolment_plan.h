#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "clients/cli/photo_folder.h"
#include "clients/cpp/client_result.h"

namespace facegate::cli {

struct PlannedPerson {
  std::string id{};                             // of the identity: IdentityIdOf(folder)
  std::string folder{};                         // its name, as it is on disk
  std::string label{};                          // FolderLabelOf(folder)
  std::vector<std::filesystem::path> photos{};  // in name order, one or more
};

struct PlanConflict {
  std::string folder;
  std::string message;
};

// The plan of what `enroll --dir` is going to send.
struct EnrolmentPlan {
  std::vector<PlannedPerson> people;  // in the order of folder names
  // Tells in words what is worth knowing and wrong with nothing.
  std::vector<std::string> warnings;
  // Folders that are not enrolled because their id is another folder's already.
  std::vector<PlanConflict> conflicts;
  // Files and folders that are not enrolled, in name order.
  std::vector<LeftOut> left_out;
  // Files and folders that systems and programs left behind.
  size_t skipped = 0;

  size_t photo_count() const;
};

// Reads the folders right below `dir`, each a person; the photos in them are told by their content
// (photo_folder.h). Pictures beside the folders, and files there that cannot be read, are left out;
// other files there are counted in a warning. `first` photos of each person, 0 for all. Two folders
// are never merged: one whose name is its id goes before one whose id was made from its name, then
// name order decides, and the other is a conflict. Fails when there is nothing to enrol and nothing
// that was left out.
ClientResult<EnrolmentPlan> PlanEnrolment(const std::filesystem::path& dir, size_t first);

}  // namespace facegate::cli
