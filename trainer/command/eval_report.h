#pragma once

#include <string>

#include "face/base/status.h"
#include "trainer/command/eval.h"
#include "trainer/measure/embedding_set.h"
#include "trainer/measure/evaluation.h"
#include "trainer/measure/pair_list.h"

namespace facegate {

// kInvalidField where `path` lies in no folder: told before the work begins.
Status CheckReportPath(const std::string& path);

// Writes *options.report, the page of an evaluation (see html_report.h): the figures of `set`,
// which are `result`, and the pairs that it judges worst. Their pictures come from options.photos;
// without that folder there are none. A photo that cannot be read has no picture, which a note
// tells.
Status WriteEvalReport(const EvalOptions& options, const PairList& list, const EmbeddingSet& set,
                       const EvalResult& result);

}  // namespace facegate
