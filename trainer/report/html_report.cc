#include "trainer/report/html_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "face/base/escape_html.h"
#include "face/base/file.h"
#include "trainer/report/html_text.h"
#include "trainer/report/learning_section.h"
#include "trainer/report/quality_section.h"
#include "trainer/report/scores_section.h"

namespace facegate::report {
namespace {

std::string Notes(const ReportInput& input) {
  if (input.notes.empty()) return "";
  std::string list = "<section><h2>Notes</h2>\n<ul>\n";
  for (const std::string& note : input.notes) {
    list += fmt::format("<li>{}</li>\n", EscapeHtml(note));
  }
  return list + "</ul>\n</section>\n";
}

std::string Setup(const ReportInput& input) {
  if (input.configuration.empty() && input.environment.empty()) return "";
  std::string section = "<section><h2>How it was made</h2>\n";
  section += FactList(input.environment);
  if (!input.configuration.empty()) {
    section += fmt::format("<pre>{}</pre>\n", EscapeHtml(input.configuration));
  }
  return section + "</section>\n";
}

bool HasPictures(const ReportInput& input) {
  return std::any_of(input.sets.begin(), input.sets.end(), [](const ScoredSet& set) {
    return std::any_of(set.hardest.begin(), set.hardest.end(), [](const HardPair& pair) {
      return !pair.first.empty() || !pair.second.empty();
    });
  });
}

}  // namespace

StatusOr<std::string> ReportPage(const ReportInput& input) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string scores, ScoresSection(input.sets));
  std::string body = scores;
  if (input.quality) body += QualitySection(*input.quality);
  body += LearningSection(input.steps, input.evaluations, input.validation, input.best_batch);
  body += Notes(input);
  body += Setup(input);
  std::string footer = "Written by facegate.";
  if (HasPictures(input)) {
    footer +=
        " This page holds photos and names of people: treat it as you treat the data they come "
        "from.";
  }
  return HtmlPage(
      {.title = input.title, .lead = input.summary, .body = std::move(body), .footer = footer});
}

Status WriteReport(const std::string& path, const ReportInput& input) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string page, ReportPage(input));
  return WriteFileAtomically(path, page);
}

}  // namespace facegate::report
