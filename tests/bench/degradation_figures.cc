#include "tests/bench/degradation_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "clients/cli/table.h"

namespace facegate {
namespace {

constexpr double kMostStrangersMatched = 0.002;
constexpr double kLeastTurnedKept = 0.85;

struct InconclusiveLimit {
  Degradation cell;
  double most = 0.0;
};
constexpr InconclusiveLimit kInconclusiveLimits[] = {
    {{DegradationKind::kBrightness, 0.3}, 0.15},
    {{DegradationKind::kBlur, 1.5}, 0.15},
    {{DegradationKind::kShrink, 60}, 0.40},
};

std::string Percent(const DecisionCounts& counts, size_t count, int digits) {
  return fmt::format("{:.{}f}", 100.0 * counts.ShareOfAll(count), digits);
}

bool OfOneSetting(const CellFigures& a, const CellFigures& b) {
  return a.model == b.model && a.detector == b.detector;
}

cli::Table EmptyTable() {
  constexpr auto kRight = cli::Table::Align::kRight;
  return cli::Table({{"DEGRADATION"},
                     {"STRANGERS MATCH %", kRight},
                     {"INCONCL. %", kRight},
                     {"NO FACE %", kRight},
                     {"AND CLEAN MATCH %", kRight},
                     {"GENUINE MATCH %", kRight},
                     {"NO MATCH %", kRight},
                     {"INCONCL. %", kRight},
                     {"NO FACE %", kRight},
                     {"FTA %", kRight}});
}

void AddRow(const CellFigures& row, cli::Table& table) {
  const DecisionCounts& genuine = row.genuine;
  table.AddRow({DegradationName(row.cell), Percent(row.strangers, row.strangers.match, 2),
                Percent(row.strangers, row.strangers.inconclusive, 1),
                Percent(row.strangers, row.strangers.no_face, 1),
                Percent(row.against_clean, row.against_clean.match, 2),
                Percent(genuine, genuine.match, 1), Percent(genuine, genuine.no_match, 1),
                Percent(genuine, genuine.inconclusive, 1), Percent(genuine, genuine.no_face, 1),
                fmt::format("{:.1f}", 100.0 * row.degraded.failure_rate().value)});
}

void CheckStrangers(const CellFigures& row, const char* what, const DecisionCounts& counts,
                    std::vector<std::string>& broken) {
  if (counts.ShareOfAll(counts.match) <= kMostStrangersMatched) return;
  broken.push_back(
      fmt::format("{}, {}, {}: {} match in {} of {} pairs, {:.2f} %; limit {:.1f} %", row.model,
                  row.detector, DegradationName(row.cell), what, counts.match, counts.total(),
                  100.0 * counts.ShareOfAll(counts.match), 100.0 * kMostStrangersMatched));
}

}  // namespace

void PrintFigures(std::span<const CellFigures> figures, std::ostream& out) {
  for (size_t begin = 0; begin < figures.size();) {
    const CellFigures& first = figures[begin];
    out << fmt::format(
        "\n{} model (match from {:.3f}), {}: {} people, failures to enrol {} of {}\n\n",
        first.model, first.threshold, first.detector, first.genuine.total(),
        first.enrolled.total() - first.enrolled.usable, first.enrolled.total());
    cli::Table table = EmptyTable();
    for (; begin < figures.size() && OfOneSetting(first, figures[begin]); ++begin) {
      AddRow(figures[begin], table);
    }
    table.Print(out);
  }
}

void WriteFigures(std::span<const CellFigures> figures, std::ostream& out) {
  out << "model,detector,degradation,threshold";
  for (const char* of : {"strangers", "strangers_clean", "genuine"}) {
    out << fmt::format(",{0}_match,{0}_no_match,{0}_inconclusive,{0}_no_face", of);
  }
  out << ",photos_usable,photos_below_quality,photos_no_face,enrolled_usable,"
         "enrolled_below_quality,enrolled_no_face\n";
  for (const CellFigures& row : figures) {
    out << fmt::format("{},{},{},{:g}", row.model, row.detector, DegradationName(row.cell),
                       row.threshold);
    for (const DecisionCounts* of : {&row.strangers, &row.against_clean, &row.genuine}) {
      out << fmt::format(",{},{},{},{}", of->match, of->no_match, of->inconclusive, of->no_face);
    }
    for (const AcquisitionCounts* of : {&row.degraded, &row.enrolled}) {
      out << fmt::format(",{},{},{}", of->usable, of->below_quality, of->no_face);
    }
    out << "\n";
  }
}

std::vector<std::string> BrokenLimits(std::span<const CellFigures> figures) {
  std::vector<std::string> broken;
  for (const CellFigures& row : figures) {
    CheckStrangers(row, "strangers", row.strangers, broken);
    CheckStrangers(row, "strangers, one photo clean,", row.against_clean, broken);
    const auto where =
        fmt::format("{}, {}, {}", row.model, row.detector, DegradationName(row.cell));
    for (const InconclusiveLimit& limit : kInconclusiveLimits) {
      const double share = row.genuine.ShareOfAll(row.genuine.inconclusive);
      if (limit.cell != row.cell || share <= limit.most) continue;
      broken.push_back(fmt::format("{}: {:.1f} % of genuine pairs inconclusive; limit {:.0f} %",
                                   where, 100.0 * share, 100.0 * limit.most));
    }
    if (row.cell.kind != DegradationKind::kTurn) continue;
    const auto clean = std::find_if(figures.begin(), figures.end(), [&](const CellFigures& other) {
      return OfOneSetting(row, other) && other.cell == Degradation{};
    });
    if (clean == figures.end()) continue;
    const auto least = kLeastTurnedKept * static_cast<double>(clean->genuine.match);
    if (static_cast<double>(row.genuine.match) >= least) continue;
    broken.push_back(fmt::format("{}: {} genuine matches, {} upright; at least {:.0f} % must stay",
                                 where, row.genuine.match, clean->genuine.match,
                                 100.0 * kLeastTurnedKept));
  }
  return broken;
}

}  // namespace facegate
