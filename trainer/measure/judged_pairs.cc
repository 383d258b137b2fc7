#include "trainer/measure/judged_pairs.h"

#include <unordered_map>

#include "trainer/measure/photo_person.h"

namespace facegate {

PeopleOfPhotos NumberPeople(const EmbeddingSet& set) {
  PeopleOfPhotos people;
  std::unordered_map<std::string, size_t> numbers;
  people.person.reserve(set.size());
  for (const std::string& name : set.names()) {
    if (!NamesPerson(name)) ++people.without_folder;
    const auto [place, added] = numbers.emplace(PersonOf(name), people.names.size());
    if (added) people.names.push_back(place->first);
    people.person.push_back(place->second);
  }
  return people;
}

StatusOr<std::vector<JudgedPair>> JudgePairs(const PairList& list, const EmbeddingSet& set) {
  std::vector<JudgedPair> pairs;
  pairs.reserve(list.pairs.size());
  for (const FacePair& pair : list.pairs) {
    JudgedPair judged{.same = pair.same};
    FACEGATE_ASSIGN_OR_RETURN(judged.first, set.IndexOf(pair.first));
    FACEGATE_ASSIGN_OR_RETURN(judged.second, set.IndexOf(pair.second));
    judged.cosine = set.Score(judged.first, judged.second);
    pairs.push_back(judged);
  }
  return pairs;
}

}  // namespace facegate
