#pragma once

#include <cstddef>
#include <string>

#include "face/base/status.h"
#include "trainer/command/eval.h"
#include "trainer/measure/embedding_set.h"
#include "trainer/photos/pair_source.h"
#include "trainer/report/html_report.h"

namespace facegate {

// kInvalidField where `path` lies in no folder: told before the work begins.
Status CheckReportPath(const std::string& path);

// Puts *options.report together, the page of an evaluation (see html_report.h): of each set the
// figures, and the pairs that it judges worst. Their pictures are those of the set, or come from
// options.photos; without that folder there are none. A photo that cannot be read has no picture,
// which a note tells.
class EvalPage {
 public:
  // `options` outlive the page.
  explicit EvalPage(const EvalOptions& options) : options_(options) {}

  // `result` are the figures of `embeddings`.
  Status Add(const PairSource& set, const EmbeddingSet& embeddings, const EvalResult& result);
  Status Write();

 private:
  const EvalOptions& options_;
  report::ReportInput input_;
  size_t unreadable_ = 0;  // photos of the hardest pairs
};

}  // namespace facegate
