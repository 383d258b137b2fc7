#include "trainer/measure/group_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace facegate {
namespace {

constexpr char kAllGroups[] = "all";

}  // namespace

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
