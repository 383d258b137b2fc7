#include "trainer/command/eval_print.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "face/base/shown_text.h"
#include "trainer/command/eval_quality_print.h"
#include "trainer/command/eval_set_rows.h"

namespace facegate {
namespace {

using Json = nlohmann::ordered_json;

void PrintRow(const std::string& name, const std::string& value, std::ostream& out) {
  out << fmt::format("{:<34}{}\n", name, value);
}

void PrintVerification(const EvalReport& report, std::ostream& out) {
  const auto folds = [&](const std::string& name, const FoldAccuracy& accuracy) {
    PrintRow(name,
             fmt::format("{:.3f} ± {:.3f} %  (threshold {:.4f})", 100.0 * accuracy.mean,
                         100.0 * accuracy.deviation, accuracy.threshold),
             out);
  };
  PrintRow("photos", std::to_string(report.photos), out);
  if (report.without_face > 0) {
    PrintRow("  without a face",
             fmt::format("{} (counted as matching no one)", report.without_face), out);
  }
  PrintRow("pairs", fmt::format("{} genuine, {} impostor", report.genuine, report.impostor), out);
  folds("accuracy, exact thresholds", report.exact);
  PrintRow("  of all pairs", WithInterval(report.exact.pairs), out);
  const AnswerCounts& answers = report.exact.answers;
  PrintRow("  precision, recall, F1",
           fmt::format("{:.3f} %, {:.3f} %, {:.3f} %", 100.0 * answers.precision(),
                       100.0 * answers.recall(), 100.0 * answers.f1()),
           out);
  folds("accuracy, grid of L2 distances", report.grid_distance);
  folds("accuracy, grid of squared L2", report.grid_squared);
  for (const AcceptanceAtFar& at : report.tar) {
    PrintRow(fmt::format("TAR@FAR {:g}", at.far),
             fmt::format("{}  (cosine above {:.4f}{})", WithInterval(at.tar), at.threshold,
                         Unmeasured(at.far, report.impostor, "impostor pairs")),
             out);
  }
  for (const ValidationRate& rate : report.validation) {
    PrintRow(fmt::format("validation rate @FAR {:g}", rate.far),
             fmt::format("{:.3f} ± {:.3f} % by folds  (their FAR {:.3g}{})", 100.0 * rate.mean,
                         100.0 * rate.deviation, rate.measured_far,
                         Unmeasured(rate.far, report.impostor, "impostor pairs")),
             out);
  }
  PrintRow("EER", WithInterval(report.eer), out);
  PrintRow(
      "AUC",
      fmt::format("{:.6f}  [{:.6f}, {:.6f}]", report.auc.value, report.auc.low, report.auc.high),
      out);
  PrintRow("d'", fmt::format("{:.3f}", report.d_prime), out);
}

void PrintIdentification(const EvalReport::Identification& found, std::ostream& out) {
  PrintRow("gallery",
           fmt::format("{} people, {} probes, {} strangers", found.people, found.probes,
                       found.strangers),
           out);
  if (found.cmc.empty()) {
    PrintRow("rank-1", WithInterval(found.rank_1), out);
    PrintRow("rank-5", WithInterval(found.rank_5), out);
    PrintRow("rank-10", WithInterval(found.rank_10), out);
  }
  for (size_t i = 0; i < found.cmc.size(); ++i) {
    PrintRow(fmt::format("rank-{}", i + 1), WithInterval(found.cmc[i]), out);
  }
  for (const OpenSetRate& rate : found.open_set) {
    PrintRow(fmt::format("TPIR@FPIR {:g}", rate.fpir),
             fmt::format("{}  (FNIR {:.3f} %, cosine above {:.4f}{})", WithInterval(rate.tpir),
                         100.0 * (1.0 - rate.tpir.value), rate.threshold,
                         Unmeasured(rate.fpir, found.strangers, "strangers")),
             out);
  }
}

// One row a factor and side; the first row is of the photos as they are.
void PrintLowResolution(const EvalResult& result, std::ostream& out) {
  const auto row = [&](const std::string& factor, std::string_view side, const EvalReport& report) {
    const std::string rank =
        report.identification.has_value()
            ? fmt::format("{:.3f}", 100.0 * report.identification->rank_1.value)
            : "-";
    out << fmt::format("{:>10}  {:<5} {:>9.3f} ± {:.3f}", factor, side, 100.0 * report.exact.mean,
                       100.0 * report.exact.deviation);
    for (const AcceptanceAtFar& at : report.tar) {
      // A star: the impostor pairs are too few for this rate.
      out << fmt::format("  {:>18}", fmt::format("{:.3f}{}", 100.0 * at.tar.value,
                                                 IsMeasurable(at.far, report.impostor) ? "" : "*"));
    }
    out << fmt::format("  {:>8.3f}  {:>8}\n", 100.0 * report.eer.value, rank);
  };
  out << fmt::format("\n{:>10}  {:<5} {:>17}", "resolution", "side", "accuracy %");
  for (const AcceptanceAtFar& at : result.report.tar) {
    out << fmt::format("  {:>18}", fmt::format("TAR % @FAR {:g}", at.far));
  }
  out << fmt::format("  {:>8}  {:>8}\n", "EER %", "rank-1 %");
  row("1", "", result.report);
  for (const EvalResult::LowResolution& one : result.low_resolution) {
    row(fmt::format("1/{:g}{}", one.factor, one.by_network ? " SR" : ""),
        LowResolutionSideName(one.side), one.report);
  }
  const auto& rows = result.low_resolution;
  if (std::any_of(rows.begin(), rows.end(), [](const auto& one) { return one.by_network; })) {
    out << "SR: enlarged again by a network of --super-resolution, else by interpolation\n";
  }
  const bool starred = std::any_of(
      result.report.tar.begin(), result.report.tar.end(),
      [&](const AcceptanceAtFar& at) { return !IsMeasurable(at.far, result.report.impostor); });
  if (starred) out << "* not measured: too few impostor pairs for this rate\n";
}

Json JsonOf(const Share& share) {
  return {{"value", share.value}, {"low", share.low}, {"high", share.high}};
}

Json JsonOf(const FoldAccuracy& accuracy) {
  return {{"mean", accuracy.mean},
          {"deviation", accuracy.deviation},
          {"threshold", accuracy.threshold},
          {"folds", accuracy.folds},
          {"pairs", JsonOf(accuracy.pairs)},
          {"precision", accuracy.answers.precision()},
          {"recall", accuracy.answers.recall()},
          {"f1", accuracy.answers.f1()}};
}

Json JsonOf(const EvalReport::Identification& found) {
  Json json{{"people", found.people},         {"probes", found.probes},
            {"strangers", found.strangers},   {"rank_1", JsonOf(found.rank_1)},
            {"rank_5", JsonOf(found.rank_5)}, {"rank_10", JsonOf(found.rank_10)}};
  json["cmc"] = Json::array();
  for (const Share& share : found.cmc) json["cmc"].push_back(JsonOf(share));
  json["tpir_at_fpir"] = Json::array();
  for (const OpenSetRate& rate : found.open_set) {
    const Share missed{
        .value = 1.0 - rate.tpir.value, .low = 1.0 - rate.tpir.high, .high = 1.0 - rate.tpir.low};
    json["tpir_at_fpir"].push_back({{"fpir", rate.fpir},
                                    {"measurable", IsMeasurable(rate.fpir, found.strangers)},
                                    {"threshold", rate.threshold},
                                    {"tpir", JsonOf(rate.tpir)},
                                    {"fnir", JsonOf(missed)}});
  }
  return json;
}

Json JsonOf(const EvalReport& report) {
  Json json;
  json["photos"] = report.photos;
  json["without_face"] = report.without_face;
  json["genuine_pairs"] = report.genuine;
  json["impostor_pairs"] = report.impostor;
  json["accuracy_exact"] = JsonOf(report.exact);
  json["accuracy_grid_distance"] = JsonOf(report.grid_distance);
  json["accuracy_grid_squared"] = JsonOf(report.grid_squared);
  json["tar_at_far"] = Json::array();
  for (const AcceptanceAtFar& at : report.tar) {
    json["tar_at_far"].push_back({{"far", at.far},
                                  {"threshold", at.threshold},
                                  {"tar", JsonOf(at.tar)},
                                  {"measurable", IsMeasurable(at.far, report.impostor)}});
  }
  json["validation_at_far"] = Json::array();
  for (const ValidationRate& rate : report.validation) {
    json["validation_at_far"].push_back({{"far", rate.far},
                                         {"mean", rate.mean},
                                         {"deviation", rate.deviation},
                                         {"measured_far", rate.measured_far},
                                         {"measurable", IsMeasurable(rate.far, report.impostor)}});
  }
  json["eer"] = report.eer.value;
  json["eer_interval"] = {report.eer.low, report.eer.high};
  json["auc"] = report.auc.value;
  json["auc_interval"] = {report.auc.low, report.auc.high};
  json["d_prime"] = report.d_prime;
  json["identification"] = nullptr;
  if (report.identification.has_value()) json["identification"] = JsonOf(*report.identification);
  return json;
}

void PrintOne(const EvalResult& result, std::ostream& out) {
  for (const std::string& remark : result.remarks) out << ShownText(remark) << "\n";
  PrintVerification(result.report, out);
  if (result.report.identification.has_value()) {
    PrintIdentification(*result.report.identification, out);
  }
  PrintAcquisition(result.quality, out);
  if (!result.low_resolution.empty()) PrintLowResolution(result, out);
  PrintQualityTables(result.quality, out);
}

Json JsonOf(const EvalResult& result) {
  Json json = JsonOf(result.report);
  json["remarks"] = result.remarks;
  json["quality"] = JsonOf(result.quality);
  if (!result.low_resolution.empty()) {
    json["low_resolution"] = Json::array();
    for (const EvalResult::LowResolution& one : result.low_resolution) {
      Json row{{"factor", one.factor},
               {"side", LowResolutionSideName(one.side)},
               {"super_resolution", one.by_network}};
      row.update(JsonOf(one.report));
      json["low_resolution"].push_back(std::move(row));
    }
  }
  return json;
}

}  // namespace

std::string WithInterval(const Share& share) {
  return fmt::format("{:.3f} %  [{:.3f}, {:.3f}]", 100.0 * share.value, 100.0 * share.low,
                     100.0 * share.high);
}

std::string Unmeasured(double rate, size_t trials, std::string_view what) {
  if (IsMeasurable(rate, trials)) return "";
  return fmt::format("; NOT MEASURED: {} {} show no rate below {:.2g}", trials, what,
                     1.0 / static_cast<double>(std::max<size_t>(1, trials)));
}

void PrintTable(std::span<const EvalResult> results, std::ostream& out) {
  results.size() == 1 ? PrintOne(results.front(), out) : PrintSetRows(results, out);
}

void PrintJson(std::span<const EvalResult> results, std::ostream& out) {
  if (results.size() == 1) {
    out << JsonOf(results.front()).dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
    return;
  }
  Json json;
  json["sets"] = Json::array();
  for (const EvalResult& result : results) {
    Json set{{"name", result.name}};
    set.update(JsonOf(result));
    json["sets"].push_back(std::move(set));
  }
  const SetFigures mean = MeanOf(results);
  json["mean"] = {{"accuracy", mean.accuracy}, {"eer", mean.eer}, {"auc", mean.auc}};
  json["mean"]["tar_at_far"] = Json::array();
  for (size_t i = 0; i < mean.tars.size(); ++i) {
    json["mean"]["tar_at_far"].push_back(
        {{"far", results.front().report.tar[i].far}, {"tar", mean.tars[i]}});
  }
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

}  // namespace facegate
