#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "clients/cli/ask.h"
#include "clients/cli/command.h"
#include "clients/cli/drawing.h"
#include "clients/cli/each_photo.h"
#include "clients/cli/folder_name.h"
#include "clients/cli/number_range.h"
#include "clients/cli/photo.h"
#include "clients/cli/quality_text.h"
#include "clients/cli/report.h"
#include "clients/cli/sheet.h"
#include "clients/cli/table.h"
#include "face/base/counted.h"

namespace facegate::cli {
namespace {

constexpr char kIdentifyFooter[] =
    "In the table # is the number of the face in its photo, and RANK 1 its best candidate.\n"
    "A stranger has no candidates; --nearest shows the nearest identities all the same, marked "
    "NO_MATCH:\nthey are not matches. INCONCLUSIVE: the face is not fit to be compared; what to do "
    "about it\nstands below the table. Exit code 0 when every face matched, 1 when one did not.\n"
    "\n"
    "Examples:\n"
    "  facegate identify door.jpg\n"
    "  facegate identify -c staff --select all --top 1 group.jpg\n"
    "  facegate identify -c staff --unique group.jpg\n"
    "  facegate identify -c staff --label floor=2 --label team=red door.jpg\n"
    "  facegate identify -c staff --min-cosine 0.45 --nearest door.jpg\n"
    "  facegate identify -c staff --fpir 0.01 --site-calibration door.jpg\n"
    "  facegate identify -c staff --select central --sheet found.png photos/*.jpg\n"
    "  facegate identify -c staff --sheet found.png --expect folder people/*/*.jpg\n"
    "  facegate --json identify -c staff door.jpg hall.jpg";

class IdentifyCommand : public Command {
 public:
  explicit IdentifyCommand(CLI::App& identify) : Command(identify) {
    identify.footer(kIdentifyFooter);
    AddCollectionOption(identify, collection_);
    identify.add_option("PHOTO", photos_, "Photos of the people to be found")->required();
    AddPhotoOptions(identify, photo_options_, AllowAll::kYes);
    operating_point_.AddTo(identify, true);
    identify
        .add_option("--top", top_, "The most candidates of one face; the server chooses by default")
        ->check(WholeNumberBetween(1, 1'000'000));
    identify
        .add_option("-o,--sheet,--out", sheet_,
                    "Also draw a page that shows the photos with who was found: FILE.png, .jpg "
                    "or another image format")
        ->type_name("FILE");
    identify.add_option("--sheet-title", sheet_title_, "What stands above that page")
        ->needs("--sheet");
    identify
        .add_option("--expect", expect_,
                    "Who a photo of one person truly shows: the identity that the file is named "
                    "after (1017.jpg), or its folder (1017/a.jpg); that page then marks what is "
                    "right and what is wrong")
        ->needs("--sheet")
        ->check(CLI::IsMember({"file", "folder"}));
    identify
        .add_option("--label", labels_,
                    "Search only identities that have this label; several must all be there")
        ->type_name("KEY=VALUE");
    identify.add_flag("--nearest", nearest_, "Show also candidates below the threshold");
    identify
        .add_flag("--unique", unique_,
                  "Nobody is in a photo twice: each identity matches one of its faces at most")
        ->excludes("--crop");
  }

  ExitCode Run(Session& session) override;

 private:
  // Tells who the photo shows by --expect. Nothing where that is not known.
  std::optional<PhotoTruth> TruthOf(Session& session, const std::string& photo) const;
  // Puts what it finds into `page`.
  ClientResult<v1::IdentifyResponse> Identify(Session& session, const std::string& photo,
                                              IdentificationSheet& page) const;

  std::string collection_;
  std::vector<std::string> photos_;
  PhotoOptions photo_options_;
  std::string sheet_;
  std::string sheet_title_;
  std::string expect_;
  std::vector<std::string> labels_;
  OperatingPointOptions operating_point_;
  uint32_t top_ = 0;  // 0: the server's choice
  bool nearest_ = false;
  bool unique_ = false;
};

ClientResult<v1::IdentifyResponse> IdentifyCommand::Identify(Session& session,
                                                             const std::string& photo,
                                                             IdentificationSheet& page) const {
  auto probe = ReadProbe(photo, photo_options_);
  if (!probe.ok()) {
    page.AddRefused(photo, "cannot be read");
    return probe.error();
  }
  v1::IdentifyRequest request;
  request.set_collection_id(collection_);
  *request.mutable_probe() = std::move(probe).value();
  operating_point_.CopyTo(request);
  request.set_max_candidates(top_);
  request.set_include_below_threshold(nearest_);
  request.set_unique_identities(unique_);
  for (const std::string& label : labels_) {
    const size_t equals = label.find('=');
    if (equals == std::string::npos || equals == 0) {
      return LocalError(fmt::format("--label {} is not KEY=VALUE", label));
    }
    const auto [place, added] =
        request.mutable_labels()->insert({label.substr(0, equals), label.substr(equals + 1)});
    if (!added) return LocalError(fmt::format("--label {} is given twice", place->first));
  }
  auto answer = Ask(session, &FacegateClient::Identify, request);
  if (sheet_.empty()) return answer;
  const std::string& bytes =
      photo_options_.crop ? request.probe().aligned_crop() : request.probe().image();
  if (answer.ok()) {
    page.Add(photo, bytes, *answer, TruthOf(session, photo));
  } else {
    page.AddRefused(photo, answer.error().reason);
  }
  return answer;
}

std::optional<PhotoTruth> IdentifyCommand::TruthOf(Session& session,
                                                   const std::string& photo) const {
  if (expect_.empty() || photo == "-") return std::nullopt;
  const std::filesystem::path path = std::filesystem::absolute(photo).lexically_normal();
  const std::string name =
      (expect_ == "file" ? path.stem() : path.parent_path().filename()).string();
  v1::GetIdentityRequest request;
  request.set_collection_id(collection_);
  request.set_identity_id(IdentityIdOf(name));
  const auto answer = Ask(session, &FacegateClient::GetIdentity, request);
  if (!answer.ok() && answer.error().reason != "IDENTITY_NOT_FOUND") return std::nullopt;
  return PhotoTruth{.identity = request.identity_id(), .enrolled = answer.ok()};
}

ExitCode AddRows(const std::string& photo, const v1::IdentifyResponse& answer, Table& table) {
  bool all = answer.results_size() > 0;
  for (int i = 0; i < answer.results_size(); ++i) {
    const auto& result = answer.results(i);
    all &= result.decision() == v1::DECISION_MATCH;
    const std::string number = std::to_string(i + 1);
    const std::string face = result.has_face() ? DescribeFace(result.face()) : "-";
    for (int rank = 0; rank < result.candidates_size(); ++rank) {
      const auto& candidate = result.candidates(rank);
      table.AddRow({photo, number, std::to_string(rank + 1), DecisionName(candidate.decision()),
                    candidate.identity_id(), FormatScore(candidate),
                    TemplateNumber(candidate.template_name()), face});
    }
    if (result.candidates().empty()) {
      table.AddRow({photo, number, "-", DecisionName(result.decision()), "-", "-", "-", face});
    }
  }
  return all ? ExitCode::kOk : ExitCode::kNoMatch;
}

std::vector<std::string> WhyInconclusive(const std::string& photo,
                                         const v1::IdentifyResponse& answer) {
  std::vector<std::string> reasons;
  for (int i = 0; i < answer.results_size(); ++i) {
    const auto& result = answer.results(i);
    if (result.decision() != v1::DECISION_INCONCLUSIVE) continue;
    const std::vector<std::string> lines =
        ShortcomingLines(fmt::format("{}, face {}", photo, i + 1), result.face());
    reasons.insert(reasons.end(), lines.begin(), lines.end());
  }
  return reasons;
}

std::string SummaryOfIdentify(const v1::IdentifyResponse& answer) {
  return fmt::format("{}; {} searched", DescribeBasis(answer.basis()),
                     Counted(answer.gallery_identities(), "identity", "identities"));
}

ExitCode IdentifyCommand::Run(Session& session) {
  if (unique_ && photo_options_.select.empty()) photo_options_.select = "all";
  if (unique_ && photo_options_.select != "all") {
    session.err << "facegate: --unique is for all faces of a photo, not for --select "
                << photo_options_.select << "\n";
    return ExitCode::kUsage;
  }
  if (!sheet_.empty()) {
    if (const auto wrong = WrongWithPicture(sheet_, photos_); wrong.has_value()) {
      return Fail(session, sheet_, *wrong);
    }
  }
  IdentificationSheet page(sheet_title_);
  const ExitCode code = AnswerEachPhoto(
      session, photos_,
      Table({WrappedColumn("PHOTO"),
             {"#", Table::Align::kRight},
             {"RANK", Table::Align::kRight},
             {"DECISION"},
             WrappedColumn("IDENTITY"),
             {"COSINE", Table::Align::kRight},
             {"TEMPLATE", Table::Align::kRight},
             OptionalColumn("FACE")}),
      [&](const std::string& photo) { return Identify(session, photo, page); }, AddRows,
      WhyInconclusive, SummaryOfIdentify);
  if (sheet_.empty()) return code;
  const auto written = page.Write(sheet_);
  if (written.ok()) return code;
  // Results were printed already.
  PrintError(session, sheet_, written.error());
  return Worse(code, ExitCodeOf(written.error()));
}

}  // namespace

void AddIdentify(CLI::App& app, Commands& commands) {
  commands.push_back(std::make_unique<IdentifyCommand>(
      *app.add_subcommand("identify", "Find who of a collection is in a photo (1:N)")));
}

}  // namespace facegate::cli
