#include "clients/cli/enrolment_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <utility>

#include "clients/cli/report.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxIdLength = 128;
constexpr std::array<std::string_view, 6> kExtensions = {".jpg",  ".jpeg", ".png",
                                                         ".webp", ".bmp",  ".pgm"};

bool IsAlphanumeric(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool IsPhoto(const fs::directory_entry& entry) {
  std::error_code ignored;
  if (!entry.is_regular_file(ignored)) return false;
  if (entry.path().filename().string().starts_with('.')) return false;
  std::string extension = entry.path().extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

ClientResult<std::vector<fs::directory_entry>> EntriesOf(const fs::path& dir) {
  std::error_code failure;
  std::vector<fs::directory_entry> entries;
  for (fs::directory_iterator it(dir, failure), end; !failure && it != end; it.increment(failure)) {
    entries.push_back(*it);
  }
  if (failure) return LocalError(fmt::format("cannot be read: {}", failure.message()));
  std::sort(entries.begin(), entries.end());
  return entries;
}

ClientResult<PlannedPerson> PlanPerson(const fs::path& folder, size_t first) {
  auto entries = EntriesOf(folder);
  if (!entries.ok()) return entries.error();
  PlannedPerson person{.folder = folder.filename().string()};
  person.id = SanitisedId(person.folder);
  for (const fs::directory_entry& entry : *entries) {
    if (first != 0 && person.photos.size() == first) break;
    if (IsPhoto(entry)) person.photos.push_back(entry.path());
  }
  return person;
}

// Drops all but one of the people who would share an id.
void ResolveConflicts(EnrolmentPlan& plan) {
  std::map<std::string, size_t> owner_of;
  for (size_t i = 0; i < plan.people.size(); ++i) {
    const auto [owner, added] = owner_of.emplace(plan.people[i].id, i);
    if (!added && plan.people[i].folder == plan.people[i].id) owner->second = i;
  }
  std::vector<PlannedPerson> kept;
  for (size_t i = 0; i < plan.people.size(); ++i) {
    const PlannedPerson& owner = plan.people[owner_of.at(plan.people[i].id)];
    if (&owner == &plan.people[i]) continue;
    plan.conflicts.push_back(
        {plan.people[i].folder,
         fmt::format("its id {} is that of the folder {}; rename one", owner.id, owner.folder)});
  }
  for (size_t i = 0; i < plan.people.size(); ++i) {
    if (owner_of.at(plan.people[i].id) == i) kept.push_back(plan.people[i]);
  }
  plan.people = std::move(kept);
}

}  // namespace

size_t EnrolmentPlan::photo_count() const {
  size_t count = 0;
  for (const PlannedPerson& person : people) count += person.photos.size();
  return count;
}

std::string SanitisedId(std::string_view folder) {
  std::string id(folder);
  for (char& c : id) {
    if (!IsAlphanumeric(c) && c != '.' && c != '_' && c != '-') c = '_';
  }
  if (id.empty() || !IsAlphanumeric(id.front())) id.insert(id.begin(), 'x');
  if (id.size() > kMaxIdLength) id.resize(kMaxIdLength);
  return id;
}

ClientResult<EnrolmentPlan> PlanEnrolment(const fs::path& dir, size_t first) {
  auto entries = EntriesOf(dir);
  if (!entries.ok()) return entries.error();
  EnrolmentPlan plan;
  size_t beside = 0;
  for (const fs::directory_entry& entry : *entries) {
    std::error_code ignored;
    if (entry.path().filename().string().starts_with('.')) continue;
    if (!entry.is_directory(ignored)) {
      ++beside;
      continue;
    }
    auto person = PlanPerson(entry.path(), first);
    const std::string folder = entry.path().filename().string();
    if (!person.ok()) {
      plan.warnings.push_back(fmt::format("{}: {}", folder, person.error().message));
    } else if (person->photos.empty()) {
      plan.warnings.push_back(fmt::format("{}: no photos in it", folder));
    } else {
      if (person->id != folder) {
        plan.warnings.push_back(
            fmt::format("{}: is no identity id; enrolled as {}", folder, person->id));
      }
      plan.people.push_back(std::move(person).value());
    }
  }
  if (beside > 0) {
    plan.warnings.push_back(fmt::format("{} files beside the folders were left out", beside));
  }
  ResolveConflicts(plan);
  if (plan.people.empty()) return LocalError("has no folders with photos in it");
  return plan;
}

}  // namespace facegate
