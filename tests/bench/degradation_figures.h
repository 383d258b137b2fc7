#pragma once

#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "trainer/measure/decision_counts.h"
#include "trainer/photos/degradation.h"

namespace facegate {

// The answers of one model and one detector under one degradation.
struct CellFigures {
  std::string model{};
  std::string detector{};
  Degradation cell{};
  double threshold = 0.0;          // the least cosine of a match
  DecisionCounts strangers{};      // pairs of different people, both photos degraded
  DecisionCounts against_clean{};  // pairs of different people, one photo degraded
  DecisionCounts genuine{};        // two photos of one person, the probe degraded
  AcquisitionCounts degraded{};    // by the quality that is wanted of probes
  AcquisitionCounts enrolled{};    // the clean photos, by the quality that is wanted of enrolments
};

// A table for each model and detector.
void PrintFigures(std::span<const CellFigures> figures, std::ostream& out);
// Counts, a row a cell under a header.
void WriteFigures(std::span<const CellFigures> figures, std::ostream& out);

// Lists the limits that the figures exceed, a line each; empty where all hold.
std::vector<std::string> BrokenLimits(std::span<const CellFigures> figures);

}  // namespace facegate
