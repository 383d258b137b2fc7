#include "trainer/report/scores_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "face/base/escape_html.h"
#include "trainer/report/chart.h"
#include "trainer/report/html_text.h"
#include "trainer/report/pairs_section.h"
#include "trainer/report/score_curves.h"

namespace facegate::report {
namespace {

constexpr size_t kCurvePoints = 400;
constexpr size_t kBins = 80;
constexpr std::array kFars = {1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6};
constexpr double kSureCount = 30.0;  // of errors, below which a rate is a rough guess
constexpr double kWorstShown = 0.5;
constexpr double kLeastDetRate = 1e-2;
constexpr double kMostDetRate = 0.98;
// True accept rates at these rates are among the headline figures.
constexpr double kCommonestFar = 1e-2;
constexpr double kRarestFar = 1e-4;

struct Judged {
  const ScoredSet* set = nullptr;
  ScoreDistribution scores;
  std::vector<ErrorRates> curve;
  std::vector<AcceptanceAtFar> points;  // at those of kFars that the impostors are enough for
};

StatusOr<Judged> Judge(const ScoredSet& set) {
  std::vector<ScoredPair> pairs;
  pairs.reserve(set.genuine.size() + set.impostor.size());
  for (const double cosine : set.genuine) pairs.push_back({.cosine = cosine, .same = true});
  for (const double cosine : set.impostor) pairs.push_back({.cosine = cosine, .same = false});
  const bool finite = std::all_of(pairs.begin(), pairs.end(), [](const ScoredPair& pair) {
    return std::isfinite(pair.cosine);
  });
  if (!finite) return InvalidArgument(fmt::format("{} has a score that is not finite", set.name));
  StatusOr<ScoreDistribution> scores = ScoreDistribution::Make(pairs);
  if (!scores.ok()) return Annotate(scores.status(), set.name);
  Judged judged{.set = &set, .scores = *std::move(scores), .curve = {}, .points = {}};
  judged.curve = ErrorCurve(judged.scores, kCurvePoints);
  for (const double far : kFars) {
    if (far * static_cast<double>(set.impostor.size()) < 1.0) break;
    FACEGATE_ASSIGN_OR_RETURN(const AcceptanceAtFar point, judged.scores.AtFar(far));
    judged.points.push_back(point);
  }
  return judged;
}

// The lowest false accept rate that the sets can show, not above a hundredth.
double LowestRate(std::span<const Judged> sets) {
  double lowest = 1e-2;
  for (const Judged& one : sets) {
    lowest = std::min(lowest, 1.0 / static_cast<double>(one.scores.impostor().size()));
  }
  return lowest;
}

std::string RocFigure(std::span<const Judged> sets) {
  Chart chart{.title = "ROC: true accept rate over false accept rate",
              .caption = "Dots: the rates of the table, with their 95 % intervals.",
              .x = {.label = "false accept rate",
                    .scale = ScaleKind::kLog,
                    .numbers = NumberStyle::kPower,
                    .low = LowestRate(sets),
                    .high = 1.0},
              .y = {.label = {}, .numbers = NumberStyle::kPercent, .high = 1.0},
              .series = {}};
  double lowest = 1.0;
  for (size_t i = 0; i < sets.size(); ++i) {
    Curve curve;
    curve.reserve(sets[i].curve.size());
    for (const ErrorRates& at : sets[i].curve) {
      if (at.false_match > 0.0) {
        curve.push_back({.x = at.false_match, .y = 1.0 - at.false_non_match});
      }
    }
    for (const AcceptanceAtFar& point : sets[i].points) {
      lowest = std::min(lowest, point.tar.low);
      chart.marks.push_back({.x = point.far,
                             .y = point.tar.value,
                             .low = point.tar.low,
                             .high = point.tar.high,
                             .colour = i});
    }
    if (!curve.empty()) lowest = std::min(lowest, curve.front().y);
    chart.series.push_back({.name = sets[i].set->name, .colour = i, .points = std::move(curve)});
  }
  chart.y.low = lowest < 1.0 ? lowest : 0.9;
  return ChartFigure(chart);
}

// The points of a set that show both errors, on either side of where they are equal.
Curve DetCurve(const Judged& one) {
  const double limit = std::clamp(2.0 * one.scores.EqualErrorRate(), kWorstShown, kMostDetRate);
  Curve curve;
  curve.reserve(one.curve.size());
  for (const ErrorRates& at : one.curve) {
    const double worst = std::max(at.false_match, at.false_non_match);
    const double best = std::min(at.false_match, at.false_non_match);
    if (best > 0.0 && worst <= limit) {
      curve.push_back({.x = at.false_match, .y = at.false_non_match});
    }
  }
  return curve;
}

// The range goes from the least to the greatest value of the curves with a little space around
// them, and over a decade at least, so that a few points have the middle of the axis.
Range DetRange(std::span<const Series> series, double CurvePoint::*value) {
  Range range{.low = 1.0, .high = 0.0};
  for (const Series& one : series) {
    for (const CurvePoint& point : one.points) {
      range.low = std::min(range.low, point.*value);
      range.high = std::max(range.high, point.*value);
    }
  }
  if (range.low > range.high) return {.low = kLeastDetRate, .high = kWorstShown};
  constexpr double kSpace = 1.25;
  constexpr double kDecade = 10.0;
  const double wider = std::sqrt(std::max(1.0, kDecade * range.low / range.high));
  range.low = range.low / (kSpace * wider);
  range.high = std::min(range.high * kSpace * wider, kMostDetRate);
  return range;
}

std::string DetFigure(std::span<const Judged> sets) {
  Chart chart{.title = "DET: false reject rate over false accept rate",
              .caption =
                  "Both axes are spaced as the normal distribution: scores that are normal "
                  "give a straight line. On the diagonal both errors are equal.",
              .x = {.label = "false accept rate",
                    .scale = ScaleKind::kProbit,
                    .numbers = NumberStyle::kPercent},
              .y = {.label = {}, .scale = ScaleKind::kProbit, .numbers = NumberStyle::kPercent},
              .series = {},
              .diagonal = true};
  for (size_t i = 0; i < sets.size(); ++i) {
    chart.series.push_back({.name = sets[i].set->name, .colour = i, .points = DetCurve(sets[i])});
  }
  const Range x = DetRange(chart.series, &CurvePoint::x);
  const Range y = DetRange(chart.series, &CurvePoint::y);
  chart.x.low = x.low;
  chart.x.high = x.high;
  chart.y.low = y.low;
  chart.y.high = y.high;
  return ChartFigure(chart);
}

std::string HistogramFigure(const Judged& one) {
  const double low = std::min(one.scores.genuine().back(), one.scores.impostor().back());
  const double high = std::max(one.scores.genuine().front(), one.scores.impostor().front());
  const double width = std::max(high - low, 1e-6);
  const Chart chart{
      .title = "Scores",
      .caption =
          "Share of the pairs of each kind; the dashed line is the threshold "
          "of this report.",
      .x = {.label = "cosine", .low = low, .high = low + width},
      .y = {.label = {}, .numbers = NumberStyle::kPercent, .low = 0.0},
      .series = {{.name = "different people",
                  .colour = 1,
                  .style = SeriesStyle::kArea,
                  .points = ScoreHistogram(one.scores.impostor(), low, low + width, kBins)},
                 {.name = "same person",
                  .colour = 0,
                  .style = SeriesStyle::kArea,
                  .points = ScoreHistogram(one.scores.genuine(), low, low + width, kBins)}},
      .rules = {{.x = one.set->threshold, .label = fmt::format("{:.3f}", one.set->threshold)}}};
  return ChartFigure(chart);
}

std::string ErrorsFigure(const Judged& one) {
  Series accepts{.name = "false accept", .colour = 1, .points = {}};
  Series rejects{.name = "false reject", .colour = 0, .points = {}};
  for (auto at = one.curve.rbegin(); at != one.curve.rend(); ++at) {
    if (at->false_match > 0.0) accepts.points.push_back({.x = at->threshold, .y = at->false_match});
    if (at->false_non_match > 0.0) {
      rejects.points.push_back({.x = at->threshold, .y = at->false_non_match});
    }
  }
  const Chart chart{
      .title = "Error rates over the threshold",
      .caption = "What a threshold costs: strangers who are accepted, and people who are refused.",
      .x = {.label = "threshold (cosine)"},
      .y = {.label = {}, .scale = ScaleKind::kLog, .numbers = NumberStyle::kPower, .high = 1.0},
      .series = {std::move(accepts), std::move(rejects)},
      .rules = {{.x = one.set->threshold, .label = fmt::format("{:.3f}", one.set->threshold)}}};
  return ChartFigure(chart);
}

std::string IntervalText(const Share& share, double unit, int decimals) {
  return fmt::format("{:.{}f} to {:.{}f}", unit * share.low, decimals, unit * share.high, decimals);
}

std::string Tile(const std::string& value, const std::string& range, const std::string& name) {
  return fmt::format("<div class=\"tile\"><b>{}</b><small>{}</small><span>{}</span></div>\n", value,
                     range.empty() ? "&nbsp;" : range, name);
}

// The headline figures, with 95 % intervals where there are any.
std::string Tiles(const Judged& one) {
  std::string tiles = "<div class=\"tiles\">\n";
  if (one.set->accuracy.has_value()) {
    const FoldAccuracy& accuracy = *one.set->accuracy;
    tiles += Tile(fmt::format("{:.2f} %", 100.0 * accuracy.mean),
                  fmt::format("± {:.2f}", 100.0 * accuracy.deviation),
                  fmt::format("accuracy, mean and deviation of {} folds", accuracy.folds.size()));
  }
  for (const AcceptanceAtFar& point : one.points) {
    if (point.far > kCommonestFar || point.far < kRarestFar) continue;
    tiles +=
        Tile(fmt::format("{:.2f} %", 100.0 * point.tar.value), IntervalText(point.tar, 100.0, 2),
             "true accepts at FAR " + NumberText(point.far, 1.0, NumberStyle::kPower));
  }
  const Share eer = one.scores.EqualErrorShare();
  tiles += Tile(fmt::format("{:.2f} %", 100.0 * eer.value), IntervalText(eer, 100.0, 2),
                "equal error rate (EER)");
  const Share auc = one.scores.AucShare();
  tiles += Tile(fmt::format("{:.4f}", auc.value), IntervalText(auc, 1.0, 4),
                "area under the ROC curve (AUC)");
  tiles += Tile(fmt::format("{:.2f}", one.scores.DPrime()), "",
                "d′: distance of the kinds, in deviations");
  return tiles + "</div>\n";
}

std::string PointRow(const Judged& one, const std::string& name, double threshold, bool above) {
  const auto accepted = [threshold, above](std::span<const double> scores) {
    return static_cast<size_t>(std::count_if(scores.begin(), scores.end(), [&](double score) {
      return above ? score > threshold : score >= threshold;
    }));
  };
  const size_t genuine = accepted(one.scores.genuine());
  const Share tar = ShareOf(genuine, one.scores.genuine().size());
  const size_t impostor = accepted(one.scores.impostor());
  const Share far = ShareOf(impostor, one.scores.impostor().size());
  // There are as many decimals as one pair more or less changes.
  const auto decimals = [](std::span<const double> scores) {
    const double digits = std::ceil(std::log10(static_cast<double>(scores.size())));
    return std::clamp(static_cast<int>(digits) - 2, 1, 6);
  };
  const auto percent = [](const Share& share, int places) {
    return fmt::format("<span>{:.{}f} % <small>[{}]</small></span>", 100.0 * share.value, places,
                       IntervalText(share, 100.0, places));
  };
  return fmt::format(
      "<tr><td>{}</td><td data-name=\"cosine\">{:.4f}</td><td data-name=\"true accepts\">{}</td>"
      "<td data-name=\"refused\"><span>{} <small>of {}</small></span></td>"
      "<td data-name=\"false accepts\">{}</td>"
      "<td data-name=\"accepted strangers\"><span>{} <small>of {}</small></span></td></tr>\n",
      name, threshold, percent(tar, decimals(one.scores.genuine())),
      one.scores.genuine().size() - genuine, one.scores.genuine().size(),
      percent(far, decimals(one.scores.impostor())), impostor, one.scores.impostor().size());
}

std::string PointTable(const Judged& one) {
  std::string table =
      "<div class=\"table stack\"><table><thead><tr><th>operating "
      "point</th><th>cosine</th><th>true "
      "accepts</th><th>refused</th><th>false accepts</th><th>accepted strangers</th></tr></thead>"
      "<tbody>\n";
  table += PointRow(one, "threshold of this report", one.set->threshold, false);
  for (const AcceptanceAtFar& point : one.points) {
    table += PointRow(one, "FAR " + NumberText(point.far, 1.0, NumberStyle::kPower),
                      point.threshold, true);
  }
  const auto impostors = static_cast<double>(one.scores.impostor().size());
  const auto rate = [](double value) {
    return NumberText(std::min(1.0, value), 1.0, NumberStyle::kPower);
  };
  return table + "</tbody></table></div>\n" +
         fmt::format(
             "<p>In brackets: 95 % Wilson intervals. {} pairs of different people cannot "
             "show a false accept rate below {}, and say little below {} (fewer than {} "
             "errors).</p>\n",
             one.scores.impostor().size(), rate(1.0 / impostors), rate(kSureCount / impostors),
             kSureCount);
}

// The figures of all sets, one below the other.
std::string Comparison(std::span<const Judged> sets) {
  const auto tar = [](const Judged& one, double far) -> std::string {
    for (const AcceptanceAtFar& point : one.points) {
      if (point.far == far) return fmt::format("{:.2f} %", 100.0 * point.tar.value);
    }
    return "–";
  };
  std::string table =
      "<div class=\"table stack\"><table><thead><tr><th>set</th><th>accuracy</th><th>TAR at FAR "
      "10⁻²"
      "</th><th>at 10⁻³</th><th>EER</th><th>AUC</th><th>d′</th></tr></thead><tbody>\n";
  for (const Judged& one : sets) {
    std::string accuracy = "–";
    if (one.set->accuracy.has_value()) {
      accuracy = fmt::format("<span>{:.2f} % <small>± {:.2f}</small></span>",
                             100.0 * one.set->accuracy->mean, 100.0 * one.set->accuracy->deviation);
    }
    table += fmt::format(
        "<tr><td>{}</td><td data-name=\"accuracy\">{}</td><td data-name=\"TAR at FAR 10⁻²\">{}</td>"
        "<td data-name=\"TAR at FAR 10⁻³\">{}</td><td data-name=\"EER\">{:.2f} %</td>"
        "<td data-name=\"AUC\">{:.4f}</td><td data-name=\"d′\">{:.2f}</td></tr>\n",
        EscapeHtml(one.set->name), accuracy, tar(one, 1e-2), tar(one, 1e-3),
        100.0 * one.scores.EqualErrorRate(), one.scores.Auc(), one.scores.DPrime());
  }
  return table + "</tbody></table></div>\n";
}

}  // namespace

StatusOr<std::string> ScoresSection(std::span<const ScoredSet> sets) {
  if (sets.empty()) return std::string();
  std::vector<Judged> judged;
  judged.reserve(sets.size());
  for (const ScoredSet& set : sets) {
    FACEGATE_ASSIGN_OR_RETURN(Judged one, Judge(set));
    judged.push_back(std::move(one));
  }
  std::string section;
  const bool several = sets.size() > 1;
  if (several) {
    section += "<section><h2>Verification, all sets</h2>\n" + Comparison(judged) +
               "<div class=\"charts\">\n" + RocFigure(judged) + DetFigure(judged) +
               "</div>\n</section>\n";
  }
  for (const Judged& one : judged) {
    section += fmt::format(
        "<section><h2>Verification: {}</h2>\n<p>{} pairs of one person, {} of "
        "two.</p>\n",
        EscapeHtml(one.set->name), one.set->genuine.size(), one.set->impostor.size());
    section += Tiles(one);
    section += "<div class=\"charts\">\n" + HistogramFigure(one) + ErrorsFigure(one);
    if (!several) section += RocFigure(judged) + DetFigure(judged);
    section += "</div>\n" + PointTable(one) + FactList(one.set->facts) +
               PairsSection(one.set->hardest, one.set->threshold) + "</section>\n";
  }
  return section;
}

}  // namespace facegate::report
