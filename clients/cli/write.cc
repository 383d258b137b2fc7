#include "clients/cli/write.h"

#include "clients/cli/unicode_text.h"

namespace facegate::cli {

CLI::Option* AddRequestId(CLI::App& app, std::string& request_id) {
  return app
      .add_option("--request-id", request_id,
                  "The id of a change that may have been made already and must not be made twice; "
                  "a new one by default")
      ->type_name("UUID");
}

void PrintHowToRepeat(Session& session, const std::string& request_id) {
  session.err << "facegate: the change may or may not have been made; to be sure, give the same "
                 "command again with --request-id "
              << Printable(request_id) << "\n";
}

}  // namespace facegate::cli
