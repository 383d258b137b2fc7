#include "face/decide/calibration_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

#include "face/decide/calibration_json.h"
#include "face/decide/false_match_table.h"
#include "face/decide/gallery_table.h"
#include "face/decide/score_matrix.h"

namespace facegate {
namespace {

constexpr float kCosineSlack = 1e-3F;  // rounding may carry a cosine so far beyond 1

Status CheckScore(float score) {
  if (std::abs(score) <= 1.0F + kCosineSlack) return OkStatus();  // false for NaN
  return InvalidArgument("a score is not a cosine");
}

}  // namespace

struct CalibrationBuilder::State {
  ScoreMatrix matrix;
  size_t probes = 0;
  std::vector<GenuineScore> genuine;
};

CalibrationBuilder::CalibrationBuilder(std::unique_ptr<State> state) : state_(std::move(state)) {}
CalibrationBuilder::CalibrationBuilder(CalibrationBuilder&&) noexcept = default;
CalibrationBuilder& CalibrationBuilder::operator=(CalibrationBuilder&&) noexcept = default;
CalibrationBuilder::~CalibrationBuilder() = default;

StatusOr<CalibrationBuilder> CalibrationBuilder::Create(size_t people, size_t probes) {
  if (people < Calibration::kLeastPeople || probes < people) {
    return InvalidArgument(
        fmt::format("{} people with {} photos cannot be calibrated with, {} "
                    "people with a photo each are the least",
                    people, probes, Calibration::kLeastPeople));
  }
  if (probes > kMostComparisons / people) {
    return InvalidArgument(fmt::format("{} photos compared with {} people are more than {}", probes,
                                       people, kMostComparisons));
  }
  auto state = std::make_unique<State>();
  state->matrix.people = people;
  state->matrix.person_of_row.reserve(probes);
  state->matrix.levels.reserve(probes * people);
  state->probes = probes;
  return CalibrationBuilder(std::move(state));
}

Status CalibrationBuilder::AddProbe(size_t person, std::span<const float> scores) {
  ScoreMatrix& matrix = state_->matrix;
  if (person >= matrix.people || scores.size() != matrix.people) {
    return InvalidArgument(fmt::format("{} scores of person {}, expected those with {} people",
                                       scores.size(), person, matrix.people));
  }
  if (matrix.rows() == state_->probes) {
    return InvalidArgument(fmt::format("there are more than {} photos", state_->probes));
  }
  for (size_t other = 0; other < scores.size(); ++other) {
    if (other != person) FACEGATE_RETURN_IF_ERROR(CheckScore(scores[other]));
  }
  for (size_t other = 0; other < scores.size(); ++other) {
    matrix.levels.push_back(other == person ? uint16_t{0} : LevelOfScore(scores[other]));
  }
  matrix.person_of_row.push_back(static_cast<uint32_t>(person));
  return OkStatus();
}

Status CalibrationBuilder::AddGenuine(size_t person, float score) {
  if (person >= state_->matrix.people) {
    return InvalidArgument(
        fmt::format("person {} is not one of {}", person, state_->matrix.people));
  }
  FACEGATE_RETURN_IF_ERROR(CheckScore(score));
  state_->genuine.push_back({.person = static_cast<uint32_t>(person), .score = score});
  return OkStatus();
}

StatusOr<Calibration> CalibrationBuilder::Finish(const CalibrationFacts& facts,
                                                 const StopCheck& stop) const {
  const ScoreMatrix& matrix = state_->matrix;
  const RowsOfPeople photos(matrix);
  for (size_t person = 0; person < matrix.people; ++person) {
    if (photos.of(person).empty()) {
      return FailedPrecondition(fmt::format("person {} has no photo", person));
    }
  }
  Calibration result;
  result.set = facts.set;
  result.model_digest = facts.model_digest;
  result.preprocessing_digest = facts.preprocessing_digest;
  result.probe_quality = facts.probe_quality;
  result.photos = facts.photos;
  result.photos_left_out = facts.photos_left_out;
  result.people = matrix.people;
  result.impostor_pairs = result.people * (result.people - 1) / 2;
  result.impostor_comparisons = matrix.rows() * (matrix.people - 1);
  std::vector<bool> has_genuine(matrix.people, false);
  for (const GenuineScore& one : state_->genuine) has_genuine[one.person] = true;
  result.genuine_people =
      static_cast<uint64_t>(std::count(has_genuine.begin(), has_genuine.end(), true));
  result.genuine_pairs = state_->genuine.size();
  FACEGATE_ASSIGN_OR_RETURN(FalseMatchCounts counts,
                            CountFalseMatches(matrix, photos, FloorOfGalleries(matrix), stop));
  FACEGATE_ASSIGN_OR_RETURN(result.galleries, MakeGalleryTables(matrix, counts.matched, stop));
  result.false_match = std::move(counts.rows);
  result.false_non_match = CountFalseNonMatches(state_->genuine, matrix.people);
  result.id = CalibrationId(result);
  FACEGATE_RETURN_IF_ERROR(CheckCalibration(result));
  return result;
}

std::vector<size_t> SamplePeople(size_t people, size_t wanted, uint64_t seed) {
  std::vector<size_t> all(people);
  std::iota(all.begin(), all.end(), size_t{0});
  if (wanted >= people) return all;
  std::mt19937_64 random(seed);
  for (size_t i = 0; i < wanted; ++i) std::swap(all[i], all[i + random() % (people - i)]);
  all.resize(wanted);
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace facegate
