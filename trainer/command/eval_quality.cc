#include "trainer/command/eval_quality.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <numeric>
#include <utility>

#include "trainer/embeddings/degraded_strangers.h"
#include "trainer/embeddings/photo_labels.h"
#include "trainer/measure/photo_person.h"
#include "trainer/run/progress.h"

namespace facegate {
namespace {

constexpr uint64_t kSeed = 1;

StatusOr<std::vector<Degradation>> CellsOf(const std::vector<std::string>& names) {
  std::vector<Degradation> cells;
  for (const std::string& name : names) {
    if (name == "all") {
      const auto all = DegradationCells();
      cells.insert(cells.end(), all.begin(), all.end());
      continue;
    }
    StatusOr<Degradation> cell = DegradationFromName(name);
    if (!cell.ok()) return RefuseField("--degrade", MessageOf(cell.status()));
    cells.push_back(*cell);
  }
  return cells;
}

// The lowest rate that the impostor pairs are enough for; the highest where they are for none.
double MeasurableFar(std::vector<double> fars, size_t impostors) {
  std::sort(fars.begin(), fars.end());
  const auto found = std::find_if(fars.begin(), fars.end(),
                                  [&](double far) { return IsMeasurable(far, impostors); });
  return found == fars.end() ? fars.back() : *found;
}

StatusOr<ScoreDistribution> Distribution(std::span<const JudgedPair> pairs) {
  std::vector<ScoredPair> scored;
  scored.reserve(pairs.size());
  for (const JudgedPair& pair : pairs) {
    scored.push_back({.cosine = pair.cosine, .same = pair.same});
  }
  return ScoreDistribution::Make(scored);
}

Status AddStrangers(const EvalQualityOptions& options, const FigureOptions& figures,
                    const EvaluatedSet& set, const ScoreDistribution& scores,
                    const PersonResampling& resampling, QualityFigures& result) {
  DegradedStrangersOptions degraded{.limits = options.limits};
  FACEGATE_ASSIGN_OR_RETURN(degraded.cells, CellsOf(options.degrade));
  result.stranger_far = MeasurableFar(figures.fars, scores.impostor().size());
  FACEGATE_ASSIGN_OR_RETURN(const AcceptanceAtFar at, scores.AtFar(result.stranger_far));
  degraded.threshold = result.stranger_threshold = at.threshold;
  const std::vector<size_t> chosen = OnePhotoEach(set.embeddings, options.degrade_people);
  ProgressBar progress(std::cerr, ::isatty(STDERR_FILENO) == 1, "degraded photos",
                       chosen.size() * degraded.cells.size());
  auto rows = MeasureStrangers(*set.embedder, *set.photos, chosen, degraded, resampling,
                               [&] { progress.Advance(); });
  progress.Finish();
  FACEGATE_RETURN_IF_ERROR(rows.status());
  result.strangers = *std::move(rows);
  return OkStatus();
}

Status AddGroups(const EvalQualityOptions& options, const FigureOptions& figures,
                 const EvaluatedSet& set, std::span<const JudgedPair> pairs,
                 const ScoreDistribution& scores, const PeopleOfPhotos& people,
                 const PersonResampling& resampling, QualityFigures& result,
                 std::vector<std::string>& remarks) {
  FACEGATE_ASSIGN_OR_RETURN(const PhotoGroups groups, ReadGroups(*options.groups, set.embeddings));
  if (groups.unlabelled > 0) {
    remarks.push_back(fmt::format("{} of {} photos have no group in {}; they are in none",
                                  groups.unlabelled, set.embeddings.size(), *options.groups));
  }
  if (groups.unknown > 0) {
    remarks.push_back(fmt::format("{} lines of {} name neither a photo nor a person of the set",
                                  groups.unknown, *options.groups));
  }
  for (const double far : figures.fars) {
    FACEGATE_ASSIGN_OR_RETURN(const AcceptanceAtFar at, scores.AtFar(far));
    result.group_fars.push_back(far);
    result.group_thresholds.push_back(at.threshold);
  }
  result.groups = MakeGroupFigures(pairs, people, groups, set.qualities, options.limits,
                                   result.group_thresholds, resampling);
  return OkStatus();
}

}  // namespace

void AddEvalQualityOptions(CLI::App& command, EvalQualityOptions& options) {
  command.add_flag(
      "--quality", options.measure,
      "Measure how fit the faces are to be compared: failures to enrol and to acquire, "
      "and error-versus-discard curves");
  command.add_option("--qualities", options.qualities,
                     "The same by another measure: a file with a photo and its quality, 0 to 1, in "
                     "each line");
  command
      .add_option("--enrol-quality", options.limits.enrol,
                  "A face below this is a failure to enrol")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      .add_option("--probe-quality", options.limits.probe,
                  "A face below this is a failure to acquire: it is not compared")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      .add_option("--degrade", options.degrade,
                  "How often strangers match when their photos are bad alike: degradations such as "
                  "blur-4,mask, or all; these photos are measured by the bundled networks")
      ->delimiter(',');
  command
      .add_option(
          "--degrade-people", options.degrade_people,
          "How many people's photos are degraded, one of each; all pairs of them are compared")
      ->check(CLI::Range(size_t{2}, kMostStrangers))
      ->capture_default_str();
  command.add_option(
      "--groups", options.groups,
      "Figures by group: a file with a photo or a person (its folder) and a group in "
      "each line");
}

Status CheckEvalQualityOptions(const EvalQualityOptions& options, bool by_model) {
  if (options.measure && options.qualities) {
    return RefuseField("--qualities", "and --quality exclude each other");
  }
  if (by_model) return CellsOf(options.degrade).status();
  if (options.measure) {
    return RefuseField("--quality",
                       "needs a model and photos; qualities of embeddings are read by --qualities");
  }
  if (!options.degrade.empty()) return RefuseField("--degrade", "needs a model and photos");
  return OkStatus();
}

Status CheckStrangersOf(const EvalQualityOptions& options, const PairList& list) {
  if (options.degrade.empty()) return OkStatus();
  for (const FacePair& pair : list.pairs) {
    for (const std::string& name : {pair.first, pair.second}) {
      if (NamesPerson(name)) continue;
      return RefuseField("--degrade",
                         fmt::format("compares strangers, and {} lies in no folder that names its "
                                     "person; expected PERSON/PHOTO",
                                     name));
    }
  }
  return OkStatus();
}

StatusOr<QualityFigures> MakeQualityFigures(const EvalQualityOptions& options,
                                            const FigureOptions& figures, const EvaluatedSet& set,
                                            std::vector<std::string>& remarks) {
  QualityFigures result{.measured = options.has_qualities()};
  PhotoQualities qualities = set.qualities;
  if (options.qualities) {
    FACEGATE_ASSIGN_OR_RETURN(qualities, ReadQualities(*options.qualities, set.embeddings));
  }
  const PeopleOfPhotos people = NumberPeople(set.embeddings);
  const PersonResampling resampling(people.names.size(), kSeed);
  std::vector<size_t> photos(set.embeddings.size());
  std::iota(photos.begin(), photos.end(), size_t{0});
  result.acquisition =
      CountAcquisitions(qualities, people.person, photos, options.limits, resampling);
  if (people.without_folder > 0) {
    remarks.push_back(
        fmt::format("{} of {} photos lie in no folder that names a person; intervals "
                    "by person count each as somebody else",
                    people.without_folder, set.embeddings.size()));
  }
  if (figures.fars.empty()) return result;
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<JudgedPair> pairs,
                            JudgePairs(set.list, set.embeddings));
  FACEGATE_ASSIGN_OR_RETURN(const ScoreDistribution scores, Distribution(pairs));
  if (options.measure || options.qualities) {
    FACEGATE_ASSIGN_OR_RETURN(result.discards, MakeDiscardCurves(pairs, people.person, qualities,
                                                                 figures.fars, resampling));
  }
  if (options.groups) {
    const EvaluatedSet judged{.list = set.list,
                              .embeddings = set.embeddings,
                              .qualities = qualities,
                              .embedder = set.embedder,
                              .photos = set.photos};
    FACEGATE_RETURN_IF_ERROR(
        AddGroups(options, figures, judged, pairs, scores, people, resampling, result, remarks));
  }
  if (!options.degrade.empty()) {
    FACEGATE_RETURN_IF_ERROR(AddStrangers(options, figures, set, scores, resampling, result));
  }
  return result;
}

}  // namespace facegate
