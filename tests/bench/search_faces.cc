#include "tests/bench/search_faces.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <random>
#include <utility>

#include "face/base/check.h"
#include "face/base/embedding.h"

namespace facegate {
namespace {

constexpr size_t kSyntheticSize = 512;
constexpr size_t kTemplatesOfPerson = 2;
constexpr float kLowestCosine = 0.4f;
constexpr float kHighestCosine = 0.9f;
constexpr size_t kRealSize = 128;

std::vector<float> UnitOf(std::span<const float> values) {
  const auto unit = Embedding::Normalize(values);
  FACEGATE_CHECK(unit.ok());
  return {unit->values().begin(), unit->values().end()};
}

std::vector<float> NearUnit(std::mt19937_64& random, std::span<const float> centre, float spread) {
  std::normal_distribution<float> normal(0.0f,
                                         spread / std::sqrt(static_cast<float>(kSyntheticSize)));
  std::vector<float> values(centre.begin(), centre.end());
  for (float& value : values) value += normal(random);
  return UnitOf(values);
}

// So that two faces around a centre are at that cosine: each is at 1 / sqrt(1 + spread^2) with the
// centre.
float SpreadOf(float cosine) { return std::sqrt(1.0f / cosine - 1.0f); }

// The people of the photos "NAME/NAME_0001.jpg", by number.
StatusOr<std::vector<uint64_t>> ReadPeople(const std::filesystem::path& order) {
  std::ifstream file(order);
  std::map<std::string, uint64_t> numbers;
  std::vector<uint64_t> people;
  for (std::string line; std::getline(file, line);) {
    const auto [place, is_new] =
        numbers.try_emplace(line.substr(0, line.find('/')), numbers.size() + 1);
    people.push_back(place->second);
  }
  if (people.size() < kProbes) return NotFound(order.string() + " names too few photos");
  return people;
}

}  // namespace

Matches SearchFaces::FullScan(size_t probes, size_t k) const {
  Matches answers;
  for (size_t q = 0; q < probes; ++q) {
    // By the number of the person; nobody has a template 0.
    std::vector<IndexMatch> best(*std::max_element(people_.begin(), people_.end()) + 1);
    for (size_t row = 0; row < rows(); ++row) {
      IndexMatch& of_person = best[people_[row]];
      const float cosine = CosineScore(probes_[q], Row(row));
      if (of_person.template_id != 0 && !(cosine > of_person.cosine)) continue;
      of_person = {.group = people_[row], .template_id = row + 1, .cosine = cosine};
    }
    std::erase_if(best, [](const IndexMatch& match) { return match.template_id == 0; });
    const size_t count = std::min(k, best.size());
    std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(count), best.end(),
                      [](const IndexMatch& a, const IndexMatch& b) {
                        return a.cosine != b.cosine ? a.cosine > b.cosine
                                                    : a.template_id < b.template_id;
                      });
    best.resize(count);
    answers.push_back(std::move(best));
  }
  return answers;
}

std::pair<float, float> SearchFaces::GenuineCosines() const {
  std::pair<float, float> range{1.0f, -1.0f};
  for (size_t row = 0; row < rows(); ++row) {
    for (size_t q = 0; q < probes_.size(); ++q) {
      if (probe_people_[q] != people_[row]) continue;
      const float cosine = CosineScore(probes_[q], Row(row));
      range = {std::min(range.first, cosine), std::max(range.second, cosine)};
    }
  }
  return range;
}

SearchFaces MakeSearchFaces(size_t rows) {
  std::mt19937_64 random(20220901);
  std::uniform_real_distribution<float> any_cosine(kLowestCosine, kHighestCosine);
  const std::vector<float> nobody(kSyntheticSize, 0.0f);
  SearchFaces faces("synthetic", kSyntheticSize);
  faces.Reserve(rows);
  for (size_t person = 0; person * kTemplatesOfPerson < rows; ++person) {
    const std::vector<float> centre = NearUnit(random, nobody, 1.0f);
    const bool is_probed = person < kProbes;
    const float share = static_cast<float>(person) / static_cast<float>(kProbes - 1);
    const float spread = SpreadOf(
        is_probed ? kLowestCosine + share * (kHighestCosine - kLowestCosine) : any_cosine(random));
    for (size_t i = 0; i < kTemplatesOfPerson && faces.rows() < rows; ++i) {
      faces.AddTemplate(person + 1, NearUnit(random, centre, spread));
    }
    if (is_probed) faces.AddProbe(person + 1, NearUnit(random, centre, spread));
  }
  return faces;
}

StatusOr<SearchFaces> ReadSearchFaces(const std::filesystem::path& data) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<uint64_t> people, ReadPeople(data / "lfw/order.txt"));
  // Little-endian, of the photos and then of the mirrored photos.
  std::vector<float> values(2 * people.size() * kRealSize);
  const std::filesystem::path path = data / "lfw/embeddings_seed002.f32";
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(float)));
  if (!file) {
    return NotFound(fmt::format("{} has no embeddings of {} photos", path.string(), people.size()));
  }
  const auto at = [&](size_t row) {
    return UnitOf(std::span(values).subspan(row * kRealSize, kRealSize));
  };
  SearchFaces faces("real", kRealSize);
  faces.Reserve(people.size());
  for (size_t row = 0; row < people.size(); ++row) faces.AddTemplate(people[row], at(row));
  for (size_t i = 0; i < kProbes; ++i) {
    const size_t row = i * people.size() / kProbes;
    faces.AddProbe(people[row], at(people.size() + row));
  }
  return faces;
}

}  // namespace facegate
