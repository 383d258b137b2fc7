#pragma once

#include <ostream>
#include <span>
#include <vector>

#include "trainer/command/eval.h"

namespace facegate {

// The figures of a set of pairs that several sets have a mean of; shares of 0 to 1.
struct SetFigures {
  double accuracy = 0.0;
  std::vector<double> tars{};  // at FigureOptions::fars
  double eer = 0.0;
  double auc = 0.0;
};
SetFigures MeanOf(std::span<const EvalResult> results);

// Prints the remarks on the sets, a row for each set, and the mean.
void PrintSetRows(std::span<const EvalResult> results, std::ostream& out);

}  // namespace facegate
