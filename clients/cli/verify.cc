#include <fmt/format.h>

#include <optional>
#include <utility>

#include "clients/cli/command.h"
#include "clients/cli/photo.h"
#include "clients/cli/report.h"
#include "clients/cli/table.h"

namespace facegate {
namespace {

constexpr char kFooter[] =
    "Exit code 0 when every photo matched, 1 when one did not.\n"
    "\n"
    "Examples:\n"
    "  facegate verify 1017 door.jpg\n"
    "  facegate verify -c staff --min-cosine 0.45 --select central 1017 door.jpg\n"
    "  facegate --json verify -c staff 1017 a.jpg b.jpg";

class VerifyCommand : public Command {
 public:
  explicit VerifyCommand(CLI::App& verify) : Command(verify) {
    verify.footer(kFooter);
    AddCollectionOption(verify, collection_);
    verify.add_option("ID", identity_, "The identity that is claimed")->required();
    verify.add_option("PHOTO", photos_, "Photos to be compared with it")->required();
    AddPhotoOptions(verify, photo_options_, AllowAll::kNo);
    AddMinCosine(verify, min_cosine_, "The smallest cosine that is a match");
  }

  ExitCode Run(Session& session) override;

 private:
  ClientResult<v1::VerifyResponse> Verify(Session& session, const std::string& photo) const;

  std::string collection_;
  std::string identity_;
  std::vector<std::string> photos_;
  PhotoOptions photo_options_;
  std::optional<float> min_cosine_;
};

ClientResult<v1::VerifyResponse> VerifyCommand::Verify(Session& session,
                                                       const std::string& photo) const {
  auto probe = ReadProbe(photo, photo_options_);
  if (!probe.ok()) return probe.error();
  v1::VerifyRequest request;
  request.set_collection_id(collection_);
  request.set_identity_id(identity_);
  *request.mutable_probe() = std::move(probe).value();
  if (min_cosine_.has_value()) request.mutable_operating_point()->set_min_cosine(*min_cosine_);
  return session.client.Verify(request);
}

ExitCode VerifyCommand::Run(Session& session) {
  ExitCode code = ExitCode::kOk;
  Json results = Json::array();
  Table table({{"PHOTO"}, {"DECISION"}, {"COSINE", Table::Align::kRight}, {"TEMPLATE"}, {"FACE"}});
  std::string summary;
  for (const std::string& photo : photos_) {
    const auto answer = Verify(session, photo);
    Json json = {{"photo", photo}};
    if (answer.ok()) {
      json.update(ToJson(*answer));
      table.AddRow({photo, DecisionName(answer->decision()), FormatCosine(answer->cosine()),
                    answer->template_name(),
                    answer->has_face() ? DescribeFace(answer->face()) : "-"});
      summary = DescribeBasis(answer->basis());
      const bool match = answer->decision() == v1::DECISION_MATCH;
      code = Worse(code, match ? ExitCode::kOk : ExitCode::kNoMatch);
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
    table.Print(session.out);
    session.out << summary << "\n";
  }
  return code;
}

}  // namespace

void AddVerify(CLI::App& app, Commands& commands) {
  commands.push_back(std::make_unique<VerifyCommand>(
      *app.add_subcommand("verify", "Check that a photo shows an enrolled identity (1:1)")));
}

}  // namespace facegate
