#pragma once

#include <string>

#include "trainer/measure/quality_figures.h"

namespace facegate::report {

// Parts of a page: failures to enrol and to acquire, error over discarded photos, strangers whose
// photos are bad alike, and groups of people, as far as there are figures of them.
std::string QualitySection(const QualityFigures& figures);

}  // namespace facegate::report
