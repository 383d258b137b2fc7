#include "trainer/command/eval_quality_print.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

namespace facegate {
namespace {

using QualityJson = nlohmann::ordered_json;

std::string PercentWithInterval(const Share& share) {
  return fmt::format("{:.3f} [{:.3f}, {:.3f}]", 100.0 * share.value, 100.0 * share.low,
                     100.0 * share.high);
}

std::string Percent(const DecisionCounts& counts, size_t count) {
  return fmt::format("{:.2f}", 100.0 * counts.ShareOfAll(count));
}

std::string FailureText(const AcquisitionFigures& figures, double least, bool measured) {
  const AcquisitionCounts& counts = figures.counts;
  const std::string below =
      measured ? fmt::format("{} below quality {:g}, ", counts.below_quality, least)
               : std::string();
  return fmt::format("{} %  ({}{} without a face)", PercentWithInterval(figures.failures), below,
                     counts.no_face);
}

// Said where the impostor pairs are too few for the rate.
std::string_view Unmeasured(double far, std::span<const ErrorAtDiscard> points) {
  return points.empty() || IsMeasurable(far, points.front().rates.impostor) ? "" : ", NOT MEASURED";
}

void PrintDiscards(const QualityFigures& figures, std::ostream& out) {
  for (const ErrorDiscardCurve& curve : figures.discards) {
    out << fmt::format(
        "\nerror versus discard at cosine above {:.4f} (FAR {:g} of the pairs with faces{}); area "
        "to 20 %: {:.3f} of no discarding\n{:>11}  {:>7}  {:>8}  {:>9}  {:>25}  {:>25}\n",
        curve.threshold, curve.far, Unmeasured(curve.far, curve.points), curve.relative_area,
        "discarded %", "quality", "genuine", "impostor", "FNMR %", "FMR %");
    for (const ErrorAtDiscard& point : curve.points) {
      out << fmt::format("{:>11.1f}  {:>7.3f}  {:>8}  {:>9}  {:>25}  {:>25}\n",
                         100.0 * point.discarded, point.least_quality, point.rates.genuine,
                         point.rates.impostor, PercentWithInterval(point.rates.fnmr),
                         PercentWithInterval(point.rates.fmr));
    }
  }
}

void PrintStrangers(const QualityFigures& figures, std::ostream& out) {
  if (figures.strangers.empty()) return;
  const auto widest = std::max_element(
      figures.strangers.begin(), figures.strangers.end(),
      [](const auto& a, const auto& b) { return a.degradation.size() < b.degradation.size(); });
  const size_t width = std::max<size_t>(11, widest->degradation.size());
  out << fmt::format(
      "\nstrangers whose photos are bad alike: {} photos of as many people, cosine above {:.4f} "
      "(FAR {:g})\n{:<{}}  {:>8}  {:>12}  {:>25}  {:>14}  {:>9}  {:>6}\n",
      figures.strangers.front().probe.counts.total(), figures.stranger_threshold,
      figures.stranger_far, "degradation", width, "pairs", "ungated FMR", "FMR %", "inconclusive %",
      "no face %", "FTA %");
  for (const StrangerRow& row : figures.strangers) {
    out << fmt::format("{:<{}}  {:>8}  {:>12}  {:>25}  {:>14}  {:>9}  {:>6.1f}\n", row.degradation,
                       width, row.gated.total(), Percent(row.ungated, row.ungated.match),
                       PercentWithInterval(row.false_matches),
                       Percent(row.gated, row.gated.inconclusive),
                       Percent(row.gated, row.gated.no_face), 100.0 * row.probe.failures.value);
  }
}

void PrintGroups(const QualityFigures& figures, std::ostream& out) {
  for (size_t i = 0; i < figures.group_thresholds.size() && !figures.groups.empty(); ++i) {
    out << fmt::format(
        "\ngroups at cosine above {:.4f} (FAR {:g} of all pairs)\n{:<20}  {:>7}  {:>7}  {:>25}  "
        "{:>25}  {:>8}  {:>25}  {:>9}  {:>25}\n",
        figures.group_thresholds[i], figures.group_fars[i], "group", "people", "photos", "FTE %",
        "FTA %", "genuine", "FNMR %", "impostor", "FMR %");
    for (const GroupFigures& group : figures.groups) {
      const PairRates& rates = group.rates[i];
      out << fmt::format("{:<20}  {:>7}  {:>7}  {:>25}  {:>25}  {:>8}  {:>25}  {:>9}  {:>25}\n",
                         group.name, group.people, group.photos,
                         PercentWithInterval(group.acquisition.enrol.failures),
                         PercentWithInterval(group.acquisition.probe.failures), rates.genuine,
                         rates.genuine == 0 ? "-" : PercentWithInterval(rates.fnmr), rates.impostor,
                         rates.impostor == 0 ? "-" : PercentWithInterval(rates.fmr));
    }
  }
}

QualityJson JsonOfShare(const Share& share) {
  return {{"value", share.value}, {"low", share.low}, {"high", share.high}};
}

QualityJson JsonOfCounts(const DecisionCounts& counts) {
  return {{"match", counts.match},
          {"no_match", counts.no_match},
          {"inconclusive", counts.inconclusive},
          {"no_face", counts.no_face}};
}

QualityJson JsonOfAcquisition(const AcquisitionFigures& figures, double least) {
  return {{"least_quality", least},
          {"rate", JsonOfShare(figures.failures)},
          {"below_quality", figures.counts.below_quality},
          {"without_face", figures.counts.no_face},
          {"photos", figures.counts.total()}};
}

QualityJson JsonOfDiscards(const QualityFigures& figures) {
  QualityJson curves = QualityJson::array();
  for (const ErrorDiscardCurve& curve : figures.discards) {
    QualityJson points = QualityJson::array();
    for (const ErrorAtDiscard& point : curve.points) {
      points.push_back({{"discarded", point.discarded},
                        {"least_quality", point.least_quality},
                        {"genuine_pairs", point.rates.genuine},
                        {"impostor_pairs", point.rates.impostor},
                        {"fnmr", JsonOfShare(point.rates.fnmr)},
                        {"fmr", JsonOfShare(point.rates.fmr)}});
    }
    curves.push_back({{"far", curve.far},
                      {"threshold", curve.threshold},
                      {"relative_area", curve.relative_area},
                      {"points", std::move(points)}});
  }
  return curves;
}

QualityJson JsonOfStrangers(const QualityFigures& figures) {
  QualityJson rows = QualityJson::array();
  for (const StrangerRow& row : figures.strangers) {
    rows.push_back({{"degradation", row.degradation},
                    {"fmr", JsonOfShare(row.false_matches)},
                    {"gated", JsonOfCounts(row.gated)},
                    {"ungated", JsonOfCounts(row.ungated)},
                    {"failure_to_acquire", JsonOfShare(row.probe.failures)}});
  }
  return {{"far", figures.stranger_far},
          {"threshold", figures.stranger_threshold},
          {"rows", std::move(rows)}};
}

QualityJson JsonOfGroups(const QualityFigures& figures) {
  QualityJson groups = QualityJson::array();
  for (const GroupFigures& group : figures.groups) {
    QualityJson rates = QualityJson::array();
    for (size_t i = 0; i < group.rates.size(); ++i) {
      const PairRates& one = group.rates[i];
      rates.push_back({{"far", figures.group_fars[i]},
                       {"threshold", figures.group_thresholds[i]},
                       {"genuine_pairs", one.genuine},
                       {"fnmr", JsonOfShare(one.fnmr)},
                       {"impostor_pairs", one.impostor},
                       {"fmr", JsonOfShare(one.fmr)}});
    }
    const AcquisitionRates& acquisition = group.acquisition;
    groups.push_back(
        {{"group", group.name},
         {"people", group.people},
         {"photos", group.photos},
         {"failure_to_enrol", JsonOfAcquisition(acquisition.enrol, acquisition.limits.enrol)},
         {"failure_to_acquire", JsonOfAcquisition(acquisition.probe, acquisition.limits.probe)},
         {"rates", std::move(rates)}});
  }
  return groups;
}

}  // namespace

void PrintAcquisition(const QualityFigures& figures, std::ostream& out) {
  const AcquisitionRates& rates = figures.acquisition;
  out << fmt::format("{:<34}{}\n", "failure to enrol",
                     FailureText(rates.enrol, rates.limits.enrol, figures.measured));
  out << fmt::format("{:<34}{}\n", "failure to acquire",
                     FailureText(rates.probe, rates.limits.probe, figures.measured));
}

void PrintQualityTables(const QualityFigures& figures, std::ostream& out) {
  PrintDiscards(figures, out);
  PrintStrangers(figures, out);
  PrintGroups(figures, out);
}

QualityJson JsonOf(const QualityFigures& figures) {
  const AcquisitionRates& rates = figures.acquisition;
  QualityJson json{{"measured", figures.measured},
                   {"failure_to_enrol", JsonOfAcquisition(rates.enrol, rates.limits.enrol)},
                   {"failure_to_acquire", JsonOfAcquisition(rates.probe, rates.limits.probe)},
                   {"discards", JsonOfDiscards(figures)}};
  if (!figures.strangers.empty()) json["strangers"] = JsonOfStrangers(figures);
  if (!figures.groups.empty()) json["groups"] = JsonOfGroups(figures);
  return json;
}

}  // namespace facegate
