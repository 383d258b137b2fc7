#include <fmt/format.h>

#include <optional>
#include <utility>

#include "clients/cli/ask.h"
#include "clients/cli/command.h"
#include "clients/cli/photo.h"
#include "clients/cli/quality_text.h"
#include "clients/cli/report.h"
#include "clients/cli/unicode_text.h"

namespace facegate::cli {
namespace {

constexpr char kCompareFooter[] =
    "Nothing is stored. Exit code 0 for a match, 1 for none, also where a face is not fit to be "
    "compared\n(INCONCLUSIVE).\n"
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
    operating_point_.AddTo(compare, false);
    AddLeastQuality(compare, "probe-quality", probe_quality_,
                    "The least quality of a face that is compared, 0 compares every face; the "
                    "server's own by default");
  }

  ExitCode Run(Session& session) override;

 private:
  void Print(Session& session, const v1::CompareResponse& answer) const;

  std::vector<std::string> photos_;
  PhotoOptions photo_options_;
  OperatingPointOptions operating_point_;
  std::optional<float> probe_quality_;
};

void CompareCommand::Print(Session& session, const v1::CompareResponse& answer) const {
  const std::string decision = DecisionName(answer.decision());
  if (answer.decision() != v1::DECISION_INCONCLUSIVE) {
    session.out << fmt::format("{}  cosine {}  distance {:.4f}\n", decision,
                               FormatCosine(answer.cosine()), answer.distance());
  } else {
    session.out << decision << "\n";
    const v1::Face* const faces[] = {&answer.first_face(), &answer.second_face()};
    for (size_t i = 0; i < 2; ++i) {
      if (faces[i]->quality().shortcomings().empty()) continue;
      for (const std::string& line : ShortcomingLines(photos_[i], *faces[i])) {
        session.out << Printable(line) << "\n";
      }
    }
  }
  session.out << DescribeBasis(answer.basis()) << "\n";
}

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
  operating_point_.CopyTo(request);
  if (probe_quality_.has_value()) request.set_probe_quality(*probe_quality_);
  const auto answer = Ask(session, &FacegateClient::Compare, request);
  if (!answer.ok()) return Fail(session, "", answer.error());
  if (session.json) {
    PrintJson(session, ToJson(*answer));
  } else {
    Print(session, *answer);
  }
  return answer->decision() == v1::DECISION_MATCH ? ExitCode::kOk : ExitCode::kNoMatch;
}

}  // namespace

void AddCompare(CLI::App& app, Commands& commands) {
  commands.push_back(std::make_unique<CompareCommand>(
      *app.add_subcommand("compare", "Compare the faces of two photos (1:1)")));
}

}  // namespace facegate::cli
