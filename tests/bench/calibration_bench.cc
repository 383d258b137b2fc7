// Claimed error rates against measured ones: a set of photos is split into two halves by person,
// again and again; one half calibrates, the other is measured. And FPIR of very large galleries,
// from generated scores whose rates are known. The exit code is 1 where a limit is broken.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "face/decide/threshold.h"
#include "tests/support/calibration_split.h"
#include "tests/support/person_scores.h"
#include "trainer/embeddings/embedding_file.h"

namespace facegate {
namespace {

struct BenchOptions {
  std::filesystem::path data{};
  std::string embeddings{};  // empty: the reference embeddings of `data`
  std::string order{};
  std::string mirror = "none";
  int sets = 2;
  size_t splits = 40;
  uint64_t seed = 1;
  size_t people = 4000;  // of the generated calibration
  size_t strangers = 400;
  bool simulate = true;
};

struct PointLimits {
  ClaimedPoint point;
  double widest = 0.0;
};

constexpr auto kFmr = OperatingPointKind::kFmr;
constexpr auto kFpir = OperatingPointKind::kFpir;
constexpr double kLeastCoverage = 0.9;

const std::vector<PointLimits>& Points() {
  static const std::vector<PointLimits> points = {
      {{kFmr, 1e-1, 0}, 1.3},    {{kFmr, 1e-2, 0}, 1.3},    {{kFmr, 1e-3, 0}, 1.3},
      {{kFpir, 1e-1, 100}, 2.0}, {{kFpir, 1e-2, 100}, 3.0}, {{kFpir, 1e-1, 1000}, 2.0},
      {{kFpir, 1e-2, 1000}, 3.0}};
  return points;
}

std::string NameOf(const ClaimedPoint& point) {
  return point.kind == kFmr ? fmt::format("FMR {:g}", point.wanted)
                            : fmt::format("FPIR {:g}, {} people", point.wanted, point.identities);
}

// Sums up all splits at one point.
struct Tally {
  size_t covered = 0;
  size_t below = 0;  // measured below the lower bound
  size_t above = 0;
  double claimed = 0.0;
  double measured = 0.0;
  double lower = 0.0;  // the estimate divided by it
  double upper = 0.0;  // divided by the estimate
  double widest = 0.0;
  double width = 0.0;

  void Add(const SplitResult& one, double share) {
    covered += one.covered() ? 1 : 0;
    below += one.measured < one.claimed.lower ? 1 : 0;
    above += one.measured > one.claimed.upper ? 1 : 0;
    claimed += share * one.claimed.rate;
    measured += share * one.measured;
    lower += share * one.claimed.rate / one.claimed.lower;
    upper += share * one.claimed.upper / one.claimed.rate;
    width += share * one.width();
    widest = std::max(widest, one.width());
  }
};

void PrintSplits(RateBound bound, const std::vector<Tally>& tallies, size_t splits, bool& good) {
  const bool estimate = bound == RateBound::kEstimate;
  std::cout << (estimate ? "Thresholds at which the claimed rate is the wanted one:\n"
                         : "\nThresholds at which the upper bound is the wanted rate, as the "
                           "server chooses them:\n");
  std::cout << fmt::format("{:<24}{:>10}{:>10}{:>8}{:>8}{:>8}{:>7}{:>7}{:>9}\n", "wanted",
                           "claimed", "measured", "lower ÷", "upper x", "widest", "below", "above",
                           "inside");
  for (size_t i = 0; i < tallies.size(); ++i) {
    const Tally& tally = tallies[i];
    const double coverage = static_cast<double>(tally.covered) / static_cast<double>(splits);
    std::string verdict = coverage >= kLeastCoverage ? "" : "  BROKEN: inside in fewer than 90 %";
    if (estimate && tally.width > Points()[i].widest) {
      verdict += fmt::format("  BROKEN: wider than x/÷ {:g}", Points()[i].widest);
    }
    good = good && verdict.empty();
    std::cout << fmt::format(
        "{:<24}{:>10.2e}{:>10.2e}{:>7.2f}{:>8.2f}{:>8.2f}{:>7}{:>7}{:>7.1f} %{}\n",
        NameOf(Points()[i].point), tally.claimed, tally.measured, tally.lower, tally.upper,
        tally.widest, tally.below, tally.above, 100.0 * coverage, verdict);
  }
}

StatusOr<bool> RunSplits(const BenchOptions& options, const PeopleScores& scores) {
  std::cout << fmt::format(
      "{} people, split by person {} times: one half calibrates, the other is "
      "measured.\nFMR: all photos with the first photo of each other person. FPIR: one gallery, "
      "the others are strangers,\none photo each.\n\n",
      scores.people(), options.splits);
  std::vector<ClaimedPoint> points;
  for (const PointLimits& one : Points()) points.push_back(one.point);
  bool good = true;
  for (const RateBound bound : {RateBound::kEstimate, RateBound::kUpper}) {
    std::vector<Tally> tallies(points.size());
    for (size_t split = 0; split < options.splits; ++split) {
      FACEGATE_ASSIGN_OR_RETURN(const auto results,
                                RunSplit(scores, points, bound, options.seed + split));
      for (size_t i = 0; i < results.size(); ++i) {
        tallies[i].Add(results[i], 1.0 / static_cast<double>(options.splits));
      }
    }
    PrintSplits(bound, tallies, options.splits, good);
  }
  return good;
}

// A collection that calibrates itself with the one photo that each of its people is enrolled with,
// against their other photos: the same people, other pictures.
StatusOr<bool> RunCollections(const BenchOptions& options, const PeopleScores& scores) {
  constexpr size_t kPeople = 1000;
  constexpr double kMostFactor = 1.5;
  std::cout << fmt::format(
      "\nCollections of {} people with two photos or more, {} times: the FMR of the photos that "
      "are enrolled, at a\nthreshold, against that of all their other photos.\n",
      kPeople, options.splits);
  std::cout << fmt::format("{:<24}{:>10}{:>10}{:>10}{:>16}\n", "threshold for", "stated", "true",
                           "farthest", "within x/÷ 1.5");
  bool good = true;
  const Calibration all = *CalibrateOn(scores, PeopleWithSeveralPhotos(scores, scores.people(), 1));
  for (const double fmr : {1e-2, 1e-3, 2e-4, 1e-4}) {
    FACEGATE_ASSIGN_OR_RETURN(const Threshold at, ThresholdFor({.kind = kFmr, .value = fmr}, &all,
                                                               {}, RateBound::kEstimate));
    double stated = 0.0;
    double measured = 0.0;
    double farthest = 1.0;
    size_t within = 0;
    for (size_t draw = 0; draw < options.splits; ++draw) {
      const std::vector<size_t> people =
          PeopleWithSeveralPhotos(scores, kPeople, options.seed + draw);
      FACEGATE_ASSIGN_OR_RETURN(const Calibration own,
                                CalibrateOn(scores, people, ComparedPhotos::kFirst));
      const double claimed = FalseMatchRateAt(own, at.min_cosine).rate;
      const double truth = MeasureFmr(scores, people, at.min_cosine, ComparedPhotos::kAllButFirst);
      const double factor = std::max(claimed / truth, truth / claimed);
      stated += claimed / static_cast<double>(options.splits);
      measured += truth / static_cast<double>(options.splits);
      farthest = std::max(farthest, factor);
      within += factor <= kMostFactor ? 1 : 0;
    }
    const double share = static_cast<double>(within) / static_cast<double>(options.splits);
    const bool holds = fmr < 1e-3 || share == 1.0;
    good = good && holds;
    std::cout << fmt::format("{:<24}{:>10.2e}{:>10.2e}{:>10.2f}{:>14.1f} %{}\n",
                             fmt::format("FMR {:g}, {:.3f}", fmr, at.min_cosine), stated, measured,
                             farthest, 100.0 * share, holds ? "" : "  BROKEN");
  }
  return good;
}

StatusOr<bool> RunPhotos(const BenchOptions& options) {
  const std::string embeddings = options.embeddings.empty()
                                     ? (options.data / "lfw/embeddings_seed002.f32").string()
                                     : options.embeddings;
  const std::string order =
      options.order.empty() ? (options.data / "lfw/order.txt").string() : options.order;
  FACEGATE_ASSIGN_OR_RETURN(const MirrorRule mirror, MirrorRuleFromName(options.mirror));
  FACEGATE_ASSIGN_OR_RETURN(
      const EmbeddingSet set,
      ReadEmbeddingSet(embeddings, order, mirror, options.sets, NoFaceRule::kFail));
  const PeopleScores scores(set);
  FACEGATE_ASSIGN_OR_RETURN(const bool splits_good, RunSplits(options, scores));
  FACEGATE_ASSIGN_OR_RETURN(const bool collections_good, RunCollections(options, scores));
  return splits_good && collections_good;
}

// The threshold at which searches find strangers so often, of all people there could be.
double TrueThreshold(double fpir, double identities) {
  double low = 0.0;
  double high = 1.0;
  for (int i = 0; i < 40; ++i) {
    const double middle = 0.5 * (low + high);
    (person_scores::TrueFpir(middle, identities) > fpir ? low : high) = middle;
  }
  return high;
}

// Compares what is claimed of large galleries with generated people whose true rates are known.
StatusOr<bool> Simulate(const BenchOptions& options) {
  const PersonScores scores(options.people, 7);
  FACEGATE_ASSIGN_OR_RETURN(const Calibration calibration, scores.Calibrate());
  std::cout << fmt::format(
      "\nGenerated people who differ: {} of them calibrate, their tables reach to galleries of {}. "
      "True: of all people there\ncould be. Simulated: {} strangers, every score drawn. Error: of "
      "the claimed rate.\n\n",
      options.people, calibration.largest_gallery(), options.strangers);
  std::cout << fmt::format("{:>10}{:>11}{:>9}{:>11}{:>9}{:>9}{:>9}{:>9}\n", "identities",
                           "threshold", "true", "simulated", "claimed", "lower", "upper", "error");
  bool good = true;
  for (const size_t identities : {1000, 100'000, 1'000'000}) {
    const auto size = static_cast<double>(identities);
    const std::vector<double> wanted = {0.5, 0.1, 0.01};
    std::vector<double> thresholds;
    for (const double fpir : wanted) thresholds.push_back(TrueThreshold(fpir, size));
    const std::vector<double> simulated =
        SimulateFpir(thresholds, identities, options.strangers, 11);
    for (size_t i = 0; i < wanted.size(); ++i) {
      const ErrorRate claimed = FalsePositiveRateAt(calibration, thresholds[i], identities);
      const bool holds = wanted[i] >= claimed.lower && wanted[i] <= claimed.upper;
      good = good && holds;
      const std::string error =
          claimed.rate == 0.0 ? "no pair"
                              : fmt::format("{:.0f} %", 100.0 * (claimed.rate / wanted[i] - 1.0));
      std::cout << fmt::format("{:>10}{:>11.4f}{:>9.4f}{:>11.4f}{:>9.4f}{:>9.4f}{:>9.4f}{:>9}{}\n",
                               identities, thresholds[i], wanted[i], simulated[i], claimed.rate,
                               claimed.lower, claimed.upper, error,
                               holds ? "" : "  BROKEN: not inside");
    }
  }
  std::cout << "\nAnd the true rate at the threshold that is chosen for a wanted one:\n";
  for (const size_t identities : {1000, 100'000, 1'000'000}) {
    for (const double fpir : {0.5, 0.1, 0.01}) {
      const auto chosen =
          ThresholdFor({.kind = kFpir, .value = fpir}, &calibration, {.searched = identities});
      if (!chosen.ok()) {
        std::cout << fmt::format("{:>10}  FPIR {:<5} {}\n", identities, fpir,
                                 ReasonName(*ReasonOf(chosen.status())));
        continue;
      }
      const double truth =
          person_scores::TrueFpir(chosen->min_cosine, static_cast<double>(identities));
      good = good && truth <= fpir;
      std::cout << fmt::format("{:>10}  FPIR {:<5} {:.4f}{}\n", identities, fpir, truth,
                               truth <= fpir ? "" : "  BROKEN: more than wanted");
    }
  }
  return good;
}

int Main(const BenchOptions& options) {
  bool good = true;
  for (const auto& part : {RunPhotos, Simulate}) {
    if (part == Simulate && !options.simulate) break;
    const StatusOr<bool> result = part(options);
    if (!result.ok()) {
      std::cerr << MessageOf(result.status()) << "\n";
      return 2;
    }
    good = good && *result;
  }
  return good ? 0 : 1;
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  CLI::App app(
      "Claimed error rates against measured ones, on people who are not in the calibration set.\n"
      "Example: calibration_bench --data ~/facegate-data\n"
      "         calibration_bench --embeddings e.npy --order e.names.txt --sets 1");
  facegate::BenchOptions options;
  app.add_option("--data", options.data, "Folder with lfw/embeddings_seed002.f32 and order.txt")
      ->envname("FACEGATE_DATA");
  app.add_option("--embeddings", options.embeddings, "Embeddings of photos PERSON/PHOTO");
  app.add_option("--order", options.order, "The photo of each row");
  app.add_option("--sets", options.sets, "2 where mirror images follow")->capture_default_str();
  app.add_option("--mirror", options.mirror, "none, sum or concat")->capture_default_str();
  app.add_option("--splits", options.splits, "How often the people are split")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of the first split")->capture_default_str();
  app.add_option("--strangers", options.strangers, "Of each simulated gallery")
      ->capture_default_str();
  app.add_flag("!--no-simulation", options.simulate, "Only the splits");
  CLI11_PARSE(app, argc, argv);
  return facegate::Main(options);
}
