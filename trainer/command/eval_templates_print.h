#pragma once

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "trainer/command/eval_templates.h"

namespace facegate {

// The figures of an evaluation of templates as rows, name and value.
std::vector<std::pair<std::string, std::string>> TemplateRows(const TemplateEvalResult& result);
void PrintTemplateTable(const TemplateEvalResult& result, std::ostream& out);
// Shares are 0 to 1.
void PrintTemplateJson(const TemplateEvalResult& result, std::ostream& out);

}  // namespace facegate
