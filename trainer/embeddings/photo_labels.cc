#include "trainer/embeddings/photo_labels.h"

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "trainer/measure/judged_pairs.h"
#include "trainer/photos/named_values.h"

namespace facegate {

StatusOr<PhotoQualities> ReadQualities(const std::string& path, const EmbeddingSet& set) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<NamedValue> rows, ReadNamedValues(path));
  std::unordered_map<std::string, double> known;
  for (const NamedValue& row : rows) {
    const std::optional<double> quality = row.number();
    if (quality && *quality >= 0.0 && *quality <= 1.0) {
      known.insert_or_assign(row.name, *quality);
    } else if (&row != &rows.front() || quality) {
      return InvalidArgument(
          fmt::format("{}, line {}: expected a photo and its quality, 0 to 1", path, row.line));
    }
  }
  PhotoQualities qualities(set.size(), std::numeric_limits<double>::quiet_NaN());
  for (size_t i = 0; i < set.size(); ++i) {
    if (!set.has_face(i)) continue;
    const auto found = known.find(set.names()[i]);
    if (found == known.end()) {
      return NotFound(fmt::format("{} has no quality of {}", path, set.names()[i]));
    }
    qualities[i] = found->second;
  }
  return qualities;
}

StatusOr<PhotoGroups> ReadGroups(const std::string& path, const EmbeddingSet& set) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<NamedValue> rows, ReadNamedValues(path));
  const PeopleOfPhotos people = NumberPeople(set);
  const std::unordered_set<std::string> photos(set.names().begin(), set.names().end());
  const std::unordered_set<std::string> persons(people.names.begin(), people.names.end());
  PhotoGroups groups;
  std::unordered_map<std::string, size_t> numbers;
  std::unordered_map<std::string, size_t> group_of;
  for (const NamedValue& row : rows) {
    if (!photos.contains(row.name) && !persons.contains(row.name)) {
      if (&row != &rows.front()) ++groups.unknown;
      continue;
    }
    const auto [place, added] = numbers.emplace(row.value, groups.names.size());
    if (added) groups.names.push_back(row.value);
    group_of.insert_or_assign(row.name, place->second);
  }
  for (size_t i = 0; i < set.size(); ++i) {
    auto found = group_of.find(set.names()[i]);
    if (found == group_of.end()) found = group_of.find(people.names[people.person[i]]);
    const bool labelled = found != group_of.end();
    groups.group.push_back(labelled ? found->second : PhotoGroups::kNone);
    groups.unlabelled += labelled ? 0 : 1;
  }
  if (groups.unlabelled == set.size()) {
    return InvalidArgument(fmt::format(
        "{} names no photo and no person of the set: expected lines such as {},group or "
        "{},group",
        path, set.names().front(), people.names.front()));
  }
  return groups;
}

}  // namespace facegate
