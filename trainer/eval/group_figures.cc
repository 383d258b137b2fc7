#include "trainer/eval/group_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "trainer/eval/named_values.h"

namespace facegate {
namespace {

constexpr char kAllGroups[] = "all";

}  // namespace

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

std::vector<GroupFigures> MakeGroupFigures(std::span<const JudgedPair> pairs,
                                           const PeopleOfPhotos& people, const PhotoGroups& groups,
                                           const PhotoQualities& qualities,
                                           const QualityLimits& limits,
                                           std::span<const double> thresholds,
                                           const PersonResampling& resampling) {
  std::vector<GroupFigures> all;
  for (size_t number = 0; number <= groups.names.size(); ++number) {
    const bool whole = number == groups.names.size();
    const auto has = [&](size_t photo) {
      return whole ? groups.group[photo] != PhotoGroups::kNone : groups.group[photo] == number;
    };
    GroupFigures figures{.name = whole ? kAllGroups : groups.names[number]};
    std::unordered_set<size_t> members;
    std::vector<size_t> own;
    for (size_t photo = 0; photo < groups.group.size(); ++photo) {
      if (!has(photo)) continue;
      members.insert(people.person[photo]);
      own.push_back(photo);
    }
    figures.photos = own.size();
    figures.people = members.size();
    figures.acquisition = CountAcquisitions(qualities, people.person, own, limits, resampling);
    for (const double threshold : thresholds) {
      figures.rates.push_back(RatesOf(
          pairs, people.person,
          [&](const JudgedPair& pair) { return has(pair.first) && has(pair.second); }, threshold,
          resampling));
    }
    all.push_back(std::move(figures));
  }
  return all;
}

}  // namespace facegate
