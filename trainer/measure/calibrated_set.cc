#include "trainer/measure/calibrated_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <utility>

#include "trainer/measure/photo_person.h"

namespace facegate {
namespace {

constexpr size_t kMostPhotosOfPerson = 32;
constexpr uint64_t kSampleSeed = 1;

using PhotosOfPeople = std::vector<std::vector<size_t>>;  // in name order

StatusOr<PhotosOfPeople> GroupByFolder(const EmbeddingSet& set) {
  std::map<std::string, std::map<std::string, size_t>> people;
  for (size_t i = 0; i < set.size(); ++i) {
    if (!set.has_face(i)) continue;
    const std::string& name = set.names()[i];
    if (!NamesPerson(name)) {
      return InvalidArgument(
          fmt::format("{} lies in no folder; the folder of a photo names its person", name));
    }
    people[std::string(PersonOf(name))].emplace(name, i);
  }
  PhotosOfPeople result;
  for (const auto& [folder, photos] : people) {
    std::vector<size_t>& rows = result.emplace_back();
    for (const auto& [name, row] : photos) rows.push_back(row);
  }
  return result;
}

// Evenly spaced ones, the first among them.
std::vector<size_t> Thinned(const std::vector<size_t>& photos) {
  if (photos.size() <= kMostPhotosOfPerson) return photos;
  std::vector<size_t> kept;
  for (size_t i = 0; i < kMostPhotosOfPerson; ++i) {
    kept.push_back(photos[i * photos.size() / kMostPhotosOfPerson]);
  }
  return kept;
}

size_t PhotosIn(const PhotosOfPeople& people) {
  size_t count = 0;
  for (const auto& photos : people) count += photos.size();
  return count;
}

// Takes as many people as the builder does, and notes what is to be said about it.
PhotosOfPeople Limited(PhotosOfPeople people, std::vector<std::string>& remarks) {
  const size_t photos = PhotosIn(people);
  for (auto& one : people) one = Thinned(one);
  if (const size_t kept = PhotosIn(people); kept < photos) {
    remarks.push_back(fmt::format("{} photos are not used: of a person {} are, evenly spaced",
                                  photos - kept, kMostPhotosOfPerson));
  }
  const double comparisons =
      static_cast<double>(PhotosIn(people)) * static_cast<double>(people.size());
  constexpr auto kMost = static_cast<double>(CalibrationBuilder::kMostComparisons);
  if (comparisons <= kMost) return people;
  const auto wanted = static_cast<size_t>(0.98 * static_cast<double>(people.size()) *
                                          std::sqrt(kMost / comparisons));
  PhotosOfPeople sample;
  for (const size_t person : SamplePeople(people.size(), wanted, kSampleSeed)) {
    sample.push_back(std::move(people[person]));
  }
  remarks.push_back(fmt::format("{} of the {} people are used, drawn at random (seed {})", wanted,
                                people.size(), kSampleSeed));
  return sample;
}

std::vector<float> RowOf(const EmbeddingSet& set, size_t photo) {
  return {set.row(photo).begin(), set.row(photo).end()};
}

// Rounded as the server's scores are.
float ScoreOf(std::span<const float> a, std::span<const float> b) {
  float sum = 0.0F;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

Status AddPhotos(const EmbeddingSet& set, const PhotosOfPeople& people,
                 CalibrationBuilder& builder) {
  std::vector<std::vector<float>> enrolled;
  enrolled.reserve(people.size());
  for (const auto& photos : people) enrolled.push_back(RowOf(set, photos.front()));
  std::vector<float> scores(people.size());
  for (size_t person = 0; person < people.size(); ++person) {
    for (size_t i = 0; i < people[person].size(); ++i) {
      const std::vector<float> probe = RowOf(set, people[person][i]);
      for (size_t other = 0; other < people.size(); ++other) {
        scores[other] = ScoreOf(probe, enrolled[other]);
      }
      FACEGATE_RETURN_IF_ERROR(builder.AddProbe(person, scores));
      for (size_t j = 0; j < i; ++j) {
        const std::vector<float> earlier = RowOf(set, people[person][j]);
        FACEGATE_RETURN_IF_ERROR(builder.AddGenuine(person, ScoreOf(probe, earlier)));
      }
    }
  }
  return OkStatus();
}

}  // namespace

StatusOr<CalibratedSet> CalibrateSet(const EmbeddingSet& set, CalibrationFacts facts) {
  FACEGATE_ASSIGN_OR_RETURN(PhotosOfPeople people, GroupByFolder(set));
  CalibratedSet result;
  people = Limited(std::move(people), result.remarks);
  facts.photos_left_out += set.without_face();
  FACEGATE_ASSIGN_OR_RETURN(CalibrationBuilder builder,
                            CalibrationBuilder::Create(people.size(), PhotosIn(people)));
  FACEGATE_RETURN_IF_ERROR(AddPhotos(set, people, builder));
  FACEGATE_ASSIGN_OR_RETURN(result.calibration, builder.Finish(facts));
  return result;
}

}  // namespace facegate
