#include <fmt/format.h>

#include <optional>
#include <utility>

#include "clients/cli/ask.h"
#include "clients/cli/command.h"
#include "clients/cli/photo.h"
#include "clients/cli/report.h"

namespace facegate {
namespace {

constexpr char kCompareFooter[] =
    "Nothing is stored. Exit code 0 for a match, 1 for none.\n"
    "\n"
    "Examples:\n"
    "  facegate compare a.jpg b.jpg\n"
    "  facegate compare --crop --min-cosine 0.4 a-112x112.png b-112x112.png\n"
    "  facegate --json compare --select central a.jpg b.jpg";

class CompareCommand : public Command {
 public:
  explicit CompareCommand(CLI::App& compare) : Command(compare) {
    compare.footer(kCompareFooter);
    compare.add_option("PHOTO", photos_, "The two photos")->required();
    AddPhotoOptions(compare, photo_options_, AllowAll::kNo);
    AddMinCosine(compare, min_cosine_, "The smallest cosine that is a match");
  }

  ExitCode Run(Session& session) override;

 private:
  std::vector<std::string> photos_;
  PhotoOptions photo_options_;
  std::optional<float> min_cosine_;
};

ExitCode CompareCommand::Run(Session& session) {
  if (photos_.size() != 2) {
    return Fail(session, "",
                LocalError(fmt::format("compare needs two photos, but {} {} given", photos_.size(),
                                       photos_.size() == 1 ? "was" : "were")));
  }
  v1::CompareRequest request;
  v1::Probe* const probes[] = {request.mutable_first(), request.mutable_second()};
  for (size_t i = 0; i < 2; ++i) {
    auto probe = ReadProbe(photos_[i], photo_options_);
    if (!probe.ok()) return Fail(session, photos_[i], probe.error());
    *probes[i] = std::move(probe).value();
  }
  if (min_cosine_.has_value()) request.mutable_operating_point()->set_min_cosine(*min_cosine_);
  const auto answer = Ask(session, &FacegateClient::Compare, request);
  if (!answer.ok()) return Fail(session, "", answer.error());
  if (session.json) {
    PrintJson(session, ToJson(*answer));
  } else {
    session.out << fmt::format("{}  cosine {}  distance {:.4f}\n{}\n",
                               DecisionName(answer->decision()), FormatCosine(answer->cosine()),
                               answer->distance(), DescribeBasis(answer->basis()));
  }
  return answer->decision() == v1::DECISION_MATCH ? ExitCode::kOk : ExitCode::kNoMatch;
}

}  // namespace

void AddCompare(CLI::App& app, Commands& commands) {
  commands.push_back(std::make_unique<CompareCommand>(
      *app.add_subcommand("compare", "Compare the faces of two photos (1:1)")));
}

}  // namespace facegate
