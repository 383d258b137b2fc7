#include "trainer/command/calibration_print.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "face/decide/threshold.h"

namespace facegate {
namespace {

// A wanted rate and what it comes to.
struct CalibratedPoint {
  OperatingPoint point;
  uint64_t identities = 0;             // 0: of comparisons
  std::optional<Threshold> threshold;  // nothing where the counts do not support it
  ErrorRate false_non_match;
};

CalibratedPoint PointAt(const Calibration& calibration, OperatingPoint point, uint64_t identities) {
  CalibratedPoint result{
      .point = point, .identities = identities, .threshold = {}, .false_non_match = {}};
  if (auto threshold = ThresholdFor(point, &calibration, {.searched = identities});
      threshold.ok()) {
    result.false_non_match = FalseNonMatchRateAt(calibration, threshold->min_cosine);
    result.threshold = *std::move(threshold);
  }
  return result;
}

std::vector<CalibratedPoint> PointsOf(const Calibration& calibration) {
  std::vector<CalibratedPoint> points;
  for (const double fmr : {1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6}) {
    points.push_back(PointAt(calibration, {.kind = OperatingPointKind::kFmr, .value = fmr}, 0));
  }
  for (const uint64_t identities : {100U, 1000U, 10'000U, 100'000U, 1'000'000U}) {
    for (const double fpir : {1e-1, 1e-2}) {
      points.push_back(
          PointAt(calibration, {.kind = OperatingPointKind::kFpir, .value = fpir}, identities));
    }
  }
  return points;
}

std::string NameOf(const CalibratedPoint& one) {
  return one.point.kind == OperatingPointKind::kFmr
             ? fmt::format("FMR {:g}", one.point.value)
             : fmt::format("FPIR {:g} of {}", one.point.value, one.identities);
}

std::string IntervalText(const ErrorRate& rate) {
  return fmt::format("{:.2e}..{:.2e}", rate.lower, rate.upper);
}

nlohmann::ordered_json RateJson(const ErrorRate& rate) {
  return {{"rate", rate.rate}, {"lower", rate.lower}, {"upper", rate.upper}};
}

}  // namespace

std::string CalibrationSummary(const Calibration& one) {
  std::string text = fmt::format("{}: {} photos of {} people, {} pairs of people", one.set,
                                 one.photos - one.photos_left_out, one.people, one.impostor_pairs);
  text += fmt::format(", {} genuine pairs of {} people", one.genuine_pairs, one.genuine_people);
  text += fmt::format(", failure to acquire {:.2f} %", 100.0 * one.failure_to_acquire());
  if (one.probe_quality > 0.0) text += fmt::format(", quality {:g} or more", one.probe_quality);
  return text;
}

void PrintCalibration(const Calibration& calibration, std::ostream& out) {
  out << fmt::format("{:<24}{:>10}{:>11}  {:<20}{:>8}  {}\n", "wanted", "threshold", "expected",
                     "on other people", "FNMR", "on other people");
  bool by_formula = false;
  for (const CalibratedPoint& one : PointsOf(calibration)) {
    if (!one.threshold) {
      out << fmt::format("{:<24}{:>10}\n", NameOf(one), "too few people");
      continue;
    }
    const ErrorRate& claimed = *one.threshold->claimed;
    by_formula = by_formula || claimed.by_formula;
    std::string refused = fmt::format("{:>8}", "-");
    if (calibration.genuine_people > 0) {
      refused = fmt::format("{:>6.2f} %  {:.2f}..{:.2f} %", 100.0 * one.false_non_match.rate,
                            100.0 * one.false_non_match.lower, 100.0 * one.false_non_match.upper);
    }
    out << fmt::format("{:<24}{:>10.4f}{:>11.2e}  {:<20}{}{}\n", NameOf(one),
                       one.threshold->min_cosine, claimed.rate, IntervalText(claimed), refused,
                       claimed.by_formula ? "  by formula" : "");
  }
  out << "The upper bound of the 95 % prediction interval is the wanted rate. FNMR is of faces "
         "that "
         "can be compared.\n";
  if (by_formula) {
    out << "By formula: the gallery is larger than those of the tables; 1 - (1 - "
           "FMR)^identities.\n";
  }
}

void PrintCalibrationJson(const Calibration& calibration, std::ostream& out) {
  nlohmann::ordered_json json;
  json["id"] = calibration.id;
  json["set"] = calibration.set;
  json["people"] = calibration.people;
  json["photos"] = calibration.photos;
  json["photos_left_out"] = calibration.photos_left_out;
  json["failure_to_acquire"] = calibration.failure_to_acquire();
  json["probe_quality"] = calibration.probe_quality;
  json["impostor_pairs"] = calibration.impostor_pairs;
  json["genuine_pairs"] = calibration.genuine_pairs;
  json["points"] = nlohmann::ordered_json::array();
  for (const CalibratedPoint& one : PointsOf(calibration)) {
    nlohmann::ordered_json row;
    row["kind"] = OperatingPointName(one.point.kind);
    row["wanted"] = one.point.value;
    if (one.identities > 0) row["identities"] = one.identities;
    row["supported"] = one.threshold.has_value();
    if (one.threshold) {
      row["min_cosine"] = one.threshold->min_cosine;
      row["claimed"] = RateJson(*one.threshold->claimed);
      row["by_formula"] = one.threshold->claimed->by_formula;
      if (calibration.genuine_people > 0) row["fnmr"] = RateJson(one.false_non_match);
    }
    json["points"].push_back(std::move(row));
  }
  out << json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
}

}  // namespace facegate
