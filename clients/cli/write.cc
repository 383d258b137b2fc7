#include "clients/cli/write.h"

#include "clients/cli/unicode_text.h"

namespace facegate {

CLI::Option* AddRequestId(CLI::App& app, std::string& request_id) {
  return app
      .add_option("--request-id", request_id,
                  "Repeats a change that may have been made already: it is made once; without it a "
                  "new one")
      ->type_name("UUID");
}

void PrintHowToRepeat(Session& session, const std::string& request_id) {
  session.err << "facegate: the change may have been made; to be sure give the same command again "
                 "with --request-id "
              << Printable(request_id) << "\n";
}

}  // namespace facegate
