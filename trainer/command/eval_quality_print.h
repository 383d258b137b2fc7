#pragma once

#include <nlohmann/json_fwd.hpp>
#include <ostream>

#include "trainer/measure/quality_figures.h"

namespace facegate {

// Failures to enrol and to acquire, in rows of a name and a value.
void PrintAcquisition(const QualityFigures& figures, std::ostream& out);
// The tables of discarded photos, strangers and groups, as far as there are any.
void PrintQualityTables(const QualityFigures& figures, std::ostream& out);
// The same; shares are 0 to 1.
nlohmann::ordered_json JsonOf(const QualityFigures& figures);

}  // namespace facegate
