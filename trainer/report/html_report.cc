#include "trainer/report/html_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "face/base/escape_html.h"
#include "face/base/file.h"
#include "trainer/report/html_text.h"
#include "trainer/report/learning_section.h"
#include "trainer/report/page_style.h"
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
  const std::string title = EscapeHtml(input.title);
  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n<h1>{}</h1>\n",
      title, PageStyle(), title);
  if (!input.summary.empty()) {
    page += fmt::format("<p class=\"lead\">{}</p>\n", EscapeHtml(input.summary));
  }
  page += scores;
  if (input.quality) page += QualitySection(*input.quality);
  page += LearningSection(input.steps, input.evaluations, input.best_batch);
  page += Notes(input);
  page += Setup(input);
  page += "<footer>Written by facegate.";
  if (HasPictures(input)) {
    page +=
        " This page holds photos and names of people: treat it as you treat the data they come "
        "from.";
  }
  page += fmt::format("</footer>\n</main>\n<script>{}</script>\n</body>\n</html>\n", PageScript());
  return page;
}

Status WriteReport(const std::string& path, const ReportInput& input) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string page, ReportPage(input));
  return WriteFileAtomically(path, page);
}

}  // namespace facegate::report
