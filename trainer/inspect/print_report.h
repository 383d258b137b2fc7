#pragma once

#include <ostream>
#include <vector>

#include "trainer/inspect/set_report.h"
#include "trainer/inspect/verdict.h"
#include "trainer/photos/photo_source.h"

namespace facegate {

// Prints for people: long lists are cut, with the number of what is not shown.
void PrintSetReport(const SetReport& report, const PhotoSource& source,
                    const std::vector<Finding>& findings, std::ostream& out);
// One JSON object with everything.
void PrintSetReportJson(const SetReport& report, const PhotoSource& source,
                        const std::vector<Finding>& findings, std::ostream& out);

}  // namespace facegate
