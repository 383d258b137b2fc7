#include "clients/cli/enrolment_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "clients/cli/folder_name.h"
#include "clients/cli/report.h"
#include "clients/cli/unicode_text.h"
#include "face/base/counted.h"
#include "face/image/system_name.h"

namespace facegate::cli {
namespace {

namespace fs = std::filesystem;

// Warnings of one kind that are told one by one; the rest is counted.
constexpr size_t kMostNamesTold = 10;

class Planner {
 public:
  explicit Planner(size_t first) : first_(first) {}

  void AddFolder(const fs::directory_entry& folder);
  void AddFileBeside(const fs::directory_entry& file);
  ClientResult<EnrolmentPlan> Finish();

 private:
  void ResolveConflicts();
  void TellNewIds();

  const size_t first_;
  EnrolmentPlan plan_;
  // Files beside the folders.
  size_t beside_ = 0;           // neither photos nor meant to be
  size_t photos_beside_ = 0;    // photos
  size_t others_left_out_ = 0;  // pictures that are not read, and files that cannot be read
};

void Planner::AddFolder(const fs::directory_entry& folder) {
  const std::string name = folder.path().filename().string();
  auto found = ReadPhotoFolder(folder.path(), first_);
  if (!found.ok()) {
    plan_.left_out.push_back({folder.path(), found.error().message});
    return;
  }
  plan_.skipped += found->skipped;
  std::move(found->left_out.begin(), found->left_out.end(), std::back_inserter(plan_.left_out));
  if (found->photos.empty()) {
    plan_.warnings.push_back(fmt::format("{}: no photos in it", name));
    return;
  }
  plan_.people.push_back({.id = IdentityIdOf(name),
                          .folder = name,
                          .label = FolderLabelOf(name),
                          .photos = std::move(found->photos)});
}

void Planner::AddFileBeside(const fs::directory_entry& file) {
  auto why = WhyNotAPhoto(file);
  if (!why.has_value()) {
    ++photos_beside_;
    plan_.left_out.push_back(
        {file.path(), "lies beside the folders; a photo belongs in the folder of its person"});
  } else if (why->may_be_meant) {
    ++others_left_out_;
    plan_.left_out.push_back({file.path(), std::move(why->message)});
  } else {
    ++beside_;
  }
}

// Drops all but one of the people who would share an id.
void Planner::ResolveConflicts() {
  std::vector<PlannedPerson>& people = plan_.people;
  std::map<std::string, size_t> owner_of;
  for (size_t i = 0; i < people.size(); ++i) {
    const auto [owner, added] = owner_of.emplace(people[i].id, i);
    if (!added && people[i].folder == people[i].id) owner->second = i;
  }
  std::vector<PlannedPerson> kept;
  for (size_t i = 0; i < people.size(); ++i) {
    const PlannedPerson& owner = people[owner_of.at(people[i].id)];
    if (&owner == &people[i]) continue;
    plan_.conflicts.push_back(
        {people[i].folder,
         owner.label == people[i].label
             ? fmt::format("its name is that of another folder, spelled with other characters that "
                           "mean the same; the identity {} is that folder's: rename one",
                           owner.id)
             : fmt::format("its identity would be {}, which is that of the folder {}; rename one",
                           owner.id, owner.folder)});
  }
  for (size_t i = 0; i < people.size(); ++i) {
    if (owner_of.at(people[i].id) == i) kept.push_back(people[i]);
  }
  people = std::move(kept);
}

void Planner::TellNewIds() {
  size_t renamed = 0;
  for (const PlannedPerson& person : plan_.people) {
    if (person.id == person.folder || ++renamed > kMostNamesTold) continue;
    plan_.warnings.push_back(fmt::format("{}: its identity is {}{}", person.folder, person.id,
                                         person.label == Composed(person.folder)
                                             ? ""
                                             : "; its label holds only a part of the name"));
  }
  if (renamed > kMostNamesTold) {
    plan_.warnings.push_back(
        fmt::format("{} {} enrolled under ids that were made from their names; the label '{}' of "
                    "each identity holds the name",
                    Counted(renamed - kMostNamesTold, "more folder"),
                    renamed == kMostNamesTold + 1 ? "is" : "are", kFolderLabel));
  }
}

ClientResult<EnrolmentPlan> Planner::Finish() {
  if (plan_.people.empty() && plan_.left_out.size() == photos_beside_ + others_left_out_) {
    if (photos_beside_ == 0) return LocalError("has no folders with photos in it");
    return LocalError(
        fmt::format("has {} but no folders with photos in it; each person needs a folder there "
                    "(for the photos of one person: facegate enroll ID PHOTO...)",
                    Counted(photos_beside_, "photo")));
  }
  if (beside_ > 0) {
    plan_.warnings.push_back(fmt::format("{} beside the folders {} not looked at",
                                         Counted(beside_, "other file"),
                                         beside_ == 1 ? "was" : "were"));
  }
  ResolveConflicts();
  TellNewIds();
  return std::move(plan_);
}

}  // namespace

size_t EnrolmentPlan::photo_count() const {
  size_t count = 0;
  for (const PlannedPerson& person : people) count += person.photos.size();
  return count;
}

ClientResult<EnrolmentPlan> PlanEnrolment(const fs::path& dir, size_t first) {
  const auto entries = EntriesOf(dir);
  if (!entries.ok()) return entries.error();
  Planner planner(first);
  size_t skipped = 0;
  for (const fs::directory_entry& entry : *entries) {
    std::error_code ignored;
    if (IsSystemName(entry.path().filename().string())) {
      ++skipped;
    } else if (entry.is_directory(ignored)) {
      planner.AddFolder(entry);
    } else {
      planner.AddFileBeside(entry);
    }
  }
  auto plan = planner.Finish();
  if (plan.ok()) plan->skipped += skipped;
  return plan;
}

}  // namespace facegate::cli
