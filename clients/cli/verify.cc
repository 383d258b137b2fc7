#include <fmt/format.h>

#include <optional>
#include <utility>

#include "clients/cli/ask.h"
#include "clients/cli/command.h"
#include "clients/cli/each_photo.h"
#include "clients/cli/identity_path.h"
#include "clients/cli/photo.h"
#include "clients/cli/quality_text.h"
#include "clients/cli/report.h"
#include "clients/cli/table.h"

namespace facegate::cli {
namespace {

constexpr char kVerifyFooter[] =
    "INCONCLUSIVE: the face is not fit to be compared; what to do about it stands below the "
    "table.\nExit code 0 when every photo matched, 1 when one did not.\n"
    "\n"
    "Examples:\n"
    "  facegate verify 1017 door.jpg\n"
    "  facegate verify -c staff --min-cosine 0.45 --select central 1017 door.jpg\n"
    "  facegate verify -c staff --fmr 0.001 1017 door.jpg\n"
    "  facegate --json verify -c staff 1017 a.jpg b.jpg";

class VerifyCommand : public Command {
 public:
  explicit VerifyCommand(CLI::App& verify) : Command(verify) {
    verify.footer(kVerifyFooter);
    AddIdentityPath(verify, path_, "The identity that is claimed");
    verify.add_option("PHOTO", photos_, "Photos to be compared with it")->required();
    AddPhotoOptions(verify, photo_options_, AllowAll::kNo);
    operating_point_.AddTo(verify, true);
  }

  ExitCode Run(Session& session) override;

 private:
  ClientResult<v1::VerifyResponse> Verify(Session& session, const std::string& photo) const;

  IdentityPath path_;
  std::vector<std::string> photos_;
  PhotoOptions photo_options_;
  OperatingPointOptions operating_point_;
};

ClientResult<v1::VerifyResponse> VerifyCommand::Verify(Session& session,
                                                       const std::string& photo) const {
  auto probe = ReadProbe(photo, photo_options_);
  if (!probe.ok()) return probe.error();
  v1::VerifyRequest request;
  path_.CopyTo(request);
  *request.mutable_probe() = std::move(probe).value();
  operating_point_.CopyTo(request);
  return Ask(session, &FacegateClient::Verify, request);
}

ExitCode AddRow(const std::string& photo, const v1::VerifyResponse& answer, Table& table) {
  const bool compared = answer.decision() != v1::DECISION_INCONCLUSIVE;
  table.AddRow({photo, DecisionName(answer.decision()), compared ? FormatScore(answer) : "-",
                TemplateNumber(answer.template_name()),
                answer.has_face() ? DescribeFace(answer.face()) : "-"});
  return answer.decision() == v1::DECISION_MATCH ? ExitCode::kOk : ExitCode::kNoMatch;
}

std::vector<std::string> WhyInconclusive(const std::string& photo,
                                         const v1::VerifyResponse& answer) {
  if (answer.decision() != v1::DECISION_INCONCLUSIVE) return {};
  return ShortcomingLines(photo, answer.face());
}

ExitCode VerifyCommand::Run(Session& session) {
  return AnswerEachPhoto(
      session, photos_,
      Table({WrappedColumn("PHOTO"),
             {"DECISION"},
             {"COSINE", Table::Align::kRight},
             {"TEMPLATE", Table::Align::kRight},
             WrappedColumn("FACE")}),
      [&](const std::string& photo) { return Verify(session, photo); }, AddRow, WhyInconclusive,
      [](const v1::VerifyResponse& answer) { return DescribeBasis(answer.basis()); });
}

}  // namespace

void AddVerify(CLI::App& app, Commands& commands) {
  commands.push_back(std::make_unique<VerifyCommand>(
      *app.add_subcommand("verify", "Check that a photo shows an enrolled identity (1:1)")));
}

}  // namespace facegate::cli
