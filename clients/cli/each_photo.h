#pragma once

#include <string>
#include <utility>
#include <vector>

#include "clients/cli/command.h"
#include "clients/cli/report.h"
#include "clients/cli/table.h"
#include "clients/cli/unicode_text.h"

namespace facegate::cli {

// Runs a command that makes one call for each photo: `call`, a ClientResult<Response> (photo),
// gives the answer; `add`, an ExitCode (photo, const Response&, Table&), adds its rows to `table`;
// `explain`, a std::vector<std::string> (photo, const Response&), gives lines that say why faces
// were not compared, printed below the table; and `summarise`, a std::string (const Response&),
// says what all answers rest on, printed once. As JSON: one array of answers and errors, each with
// its photo. Returns the worst exit code.
template <typename Call, typename Add, typename Explain, typename Summarise>
ExitCode AnswerEachPhoto(Session& session, const std::vector<std::string>& photos, Table table,
                         const Call& call, const Add& add, const Explain& explain,
                         const Summarise& summarise) {
  ExitCode code = ExitCode::kOk;
  Json results = Json::array();
  std::vector<std::string> reasons;
  std::string summary;
  for (const std::string& photo : photos) {
    const auto answer = call(photo);
    Json json = {{"photo", photo}};
    if (answer.ok()) {
      json.update(ToJson(*answer));
      code = Worse(code, add(photo, *answer, table));
      const std::vector<std::string> lines = explain(photo, *answer);
      reasons.insert(reasons.end(), lines.begin(), lines.end());
      summary = summarise(*answer);
    } else {
      json.update(ToJson(answer.error()));
      PrintError(session, photo, answer.error());
      code = Worse(code, ExitCodeOf(answer.error()));
    }
    results.push_back(std::move(json));
  }
  if (session.json) {
    PrintJson(session, results);
  } else if (!summary.empty()) {
    table.Print(session.out, session.terminal.columns);
    for (const std::string& line : reasons) session.out << Printable(line) << "\n";
    session.out << summary << "\n";
  }
  return code;
}

}  // namespace facegate::cli
