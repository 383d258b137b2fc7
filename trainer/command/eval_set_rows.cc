#include "trainer/command/eval_set_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "face/base/shown_text.h"

namespace facegate {
namespace {

SetFigures FiguresOf(const EvalReport& report) {
  SetFigures figures{
      .accuracy = report.exact.mean, .tars = {}, .eer = report.eer.value, .auc = report.auc.value};
  for (const AcceptanceAtFar& at : report.tar) figures.tars.push_back(at.tar.value);
  return figures;
}

// Prints the columns of all rows: name, pairs, accuracy with what goes with it, threshold, one for
// each rate, and the rest.
class Rows {
 public:
  Rows(std::span<const EvalResult> results, std::ostream& out) : out_(out) {
    for (const EvalResult& result : results) {
      name_ = std::max(name_, ShownLine(result.name).size());
    }
  }

  void Print(std::string_view name, const std::string& pairs, const std::string& accuracy,
             const std::string& threshold, const std::vector<std::string>& tars,
             const std::string& eer, const std::string& auc) {
    out_ << fmt::format("{:<{}}  {:>7}  {:>16}  {:>9}", name, name_, pairs, accuracy, threshold);
    for (const std::string& tar : tars) out_ << fmt::format("  {:>15}", tar);
    out_ << fmt::format("  {:>7}  {:>8}\n", eer, auc);
  }

 private:
  std::ostream& out_;
  size_t name_ = 4;
};

std::string Percent(double share) { return fmt::format("{:.3f}", 100.0 * share); }

}  // namespace

SetFigures MeanOf(std::span<const EvalResult> results) {
  SetFigures mean;
  mean.tars.resize(results.front().report.tar.size());
  const auto share = 1.0 / static_cast<double>(results.size());
  for (const EvalResult& result : results) {
    const SetFigures figures = FiguresOf(result.report);
    mean.accuracy += share * figures.accuracy;
    mean.eer += share * figures.eer;
    mean.auc += share * figures.auc;
    for (size_t i = 0; i < mean.tars.size(); ++i) mean.tars[i] += share * figures.tars[i];
  }
  return mean;
}

void PrintSetRows(std::span<const EvalResult> results, std::ostream& out) {
  for (const EvalResult& result : results) {
    for (const std::string& remark : result.remarks) {
      out << ShownText(fmt::format("{}: {}\n", result.name, remark));
    }
  }
  Rows rows(results, out);
  std::vector<std::string> tars;
  for (const AcceptanceAtFar& at : results.front().report.tar) {
    tars.push_back(fmt::format("TAR % @{:g}", at.far));
  }
  rows.Print("set", "pairs", "accuracy %", "threshold", tars, "EER %", "AUC");
  bool starred = false;
  std::vector<bool> whole(tars.size(), true);
  for (const EvalResult& result : results) {
    const EvalReport& report = result.report;
    for (size_t i = 0; i < tars.size(); ++i) {
      const bool measured = IsMeasurable(report.tar[i].far, report.impostor);
      starred = starred || !measured;
      whole[i] = whole[i] && measured;
      tars[i] = Percent(report.tar[i].tar.value) + (measured ? "" : "*");
    }
    rows.Print(ShownLine(result.name), std::to_string(report.genuine + report.impostor),
               fmt::format("{} ± {}", Percent(report.exact.mean), Percent(report.exact.deviation)),
               fmt::format("{:.4f}", report.exact.threshold), tars, Percent(report.eer.value),
               fmt::format("{:.6f}", report.auc.value));
  }
  const SetFigures mean = MeanOf(results);
  for (size_t i = 0; i < tars.size(); ++i) {
    tars[i] = Percent(mean.tars[i]) + (whole[i] ? "" : "*");
  }
  rows.Print("mean", "", Percent(mean.accuracy), "", tars, Percent(mean.eer),
             fmt::format("{:.6f}", mean.auc));
  if (starred) {
    out << "* not measured: too few impostor pairs for this rate; a mean holds such a figure\n";
  }
}

}  // namespace facegate
