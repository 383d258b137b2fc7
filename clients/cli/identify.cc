#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <map>
#include <optional>
#include <set>
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
    "With several collections each judges by its own threshold and quality; a face that is not "
    "good\nenough for one of them, and matches nobody of the others, is INCONCLUSIVE.\n"
    "\n"
    "Examples:\n"
    "  facegate identify door.jpg\n"
    "  facegate identify -c staff --select all --top 1 group.jpg\n"
    "  facegate identify -c staff --unique group.jpg\n"
    "  facegate identify -c staff -c visitors door.jpg\n"
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
    identify
        .add_option("-c,--collection", collections_,
                    "The collection; given again, up to 16 are searched together")
        ->envname("FACEGATE_COLLECTION")
        ->allow_extra_args(false)
        ->default_str("default");
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
        ->allow_extra_args(false)
        ->type_name("KEY=VALUE");
    identify.add_flag("--nearest", nearest_, "Show also candidates below the threshold");
    identify
        .add_flag("--unique", unique_,
                  "Nobody is in a photo twice: each identity matches one of its faces at most")
        ->excludes("--crop");
  }

  ExitCode Run(Session& session) override;

 private:
  // What is wrong with the collections and labels, which are the same for all photos.
  std::optional<ClientError> TakeWhatIsSearched();
  bool several() const { return collections_.size() > 1; }
  // Tells who the photo shows by --expect. Nothing where that is not known.
  std::optional<PhotoTruth> TruthOf(Session& session, const std::string& photo) const;
  // Puts what it finds into `page`.
  ClientResult<v1::IdentifyResponse> Identify(Session& session, const std::string& photo,
                                              IdentificationSheet& page) const;

  std::vector<std::string> collections_{"default"};
  std::vector<std::string> photos_;
  PhotoOptions photo_options_;
  std::string sheet_;
  std::string sheet_title_;
  std::string expect_;
  std::vector<std::string> labels_;
  v1::IdentifyRequest searched_;  // the collections and labels of each request
  OperatingPointOptions operating_point_;
  uint32_t top_ = 0;  // 0: the server's choice
  bool nearest_ = false;
  bool unique_ = false;
};

std::optional<ClientError> IdentifyCommand::TakeWhatIsSearched() {
  std::set<std::string> named;
  for (const std::string& collection : collections_) {
    if (!named.insert(collection).second) {
      return LocalError(fmt::format("--collection {} is given twice", collection));
    }
    if (named.size() == 1) {
      searched_.set_collection_id(collection);
    } else {
      searched_.add_more_collection_ids(collection);
    }
  }
  for (const std::string& label : labels_) {
    const size_t equals = label.find('=');
    if (equals == std::string::npos || equals == 0) {
      return LocalError(fmt::format("--label {} is not KEY=VALUE", label));
    }
    const auto [place, added] =
        searched_.mutable_labels()->insert({label.substr(0, equals), label.substr(equals + 1)});
    if (!added) return LocalError(fmt::format("--label {} is given twice", place->first));
  }
  return std::nullopt;
}

ClientResult<v1::IdentifyResponse> IdentifyCommand::Identify(Session& session,
                                                             const std::string& photo,
                                                             IdentificationSheet& page) const {
  auto probe = ReadProbe(photo, photo_options_);
  if (!probe.ok()) {
    page.AddRefused(photo, "cannot be read");
    return probe.error();
  }
  v1::IdentifyRequest request = searched_;
  *request.mutable_probe() = std::move(probe).value();
  operating_point_.CopyTo(request);
  request.set_max_candidates(top_);
  request.set_include_below_threshold(nearest_);
  request.set_unique_identities(unique_);
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
  PhotoTruth truth{.identity = IdentityIdOf(name), .enrolled = false};
  for (const std::string& collection : collections_) {
    v1::GetIdentityRequest request;
    request.set_collection_id(collection);
    request.set_identity_id(truth.identity);
    const auto answer = Ask(session, &FacegateClient::GetIdentity, request);
    if (!answer.ok() && answer.error().reason != "IDENTITY_NOT_FOUND") return std::nullopt;
    truth.enrolled |= answer.ok();
  }
  return truth;
}

// Each row with the collection, where there are several.
class Rows {
 public:
  explicit Rows(bool with_collection) : with_collection_(with_collection) {}

  Table EmptyTable() const {
    std::vector<Table::Column> columns{WrappedColumn("PHOTO"),
                                       {"#", Table::Align::kRight},
                                       {"RANK", Table::Align::kRight},
                                       {"DECISION"},
                                       WrappedColumn("IDENTITY"),
                                       {"COSINE", Table::Align::kRight},
                                       {"TEMPLATE", Table::Align::kRight},
                                       OptionalColumn("FACE")};
    if (with_collection_) columns.insert(columns.begin() + kPlace, WrappedColumn("COLLECTION"));
    return Table(std::move(columns));
  }
  void Add(Table& table, std::vector<std::string> cells, const std::string& collection) const {
    if (with_collection_) cells.insert(cells.begin() + kPlace, collection);
    table.AddRow(std::move(cells));
  }

 private:
  static constexpr std::ptrdiff_t kPlace = 4;  // before the identity

  const bool with_collection_;
};

ExitCode AddRows(const Rows& rows, const std::string& photo, const v1::IdentifyResponse& answer,
                 Table& table) {
  bool all = answer.results_size() > 0;
  for (int i = 0; i < answer.results_size(); ++i) {
    const auto& result = answer.results(i);
    all &= result.decision() == v1::DECISION_MATCH;
    const std::string number = std::to_string(i + 1);
    const std::string face = result.has_face() ? DescribeFace(result.face()) : "-";
    for (int rank = 0; rank < result.candidates_size(); ++rank) {
      const auto& candidate = result.candidates(rank);
      rows.Add(table,
               {photo, number, std::to_string(rank + 1), DecisionName(candidate.decision()),
                candidate.identity_id(), FormatScore(candidate),
                TemplateNumber(candidate.template_name()), face},
               candidate.collection_id());
    }
    if (result.candidates().empty()) {
      rows.Add(table, {photo, number, "-", DecisionName(result.decision()), "-", "-", "-", face},
               "-");
    }
  }
  return all ? ExitCode::kOk : ExitCode::kNoMatch;
}

std::vector<std::string> WhyInconclusive(const std::string& photo,
                                         const v1::IdentifyResponse& answer) {
  std::vector<std::string> reasons;
  for (int i = 0; i < answer.results_size(); ++i) {
    const auto& result = answer.results(i);
    const auto& not_compared = result.not_compared_collection_ids();
    if (result.decision() != v1::DECISION_INCONCLUSIVE && not_compared.empty()) continue;
    std::string subject = fmt::format("{}, face {}", photo, i + 1);
    if (not_compared.size() < answer.searched_size()) {
      subject += fmt::format(", not compared with {}", fmt::join(not_compared, ", "));
    }
    const std::vector<std::string> lines = ShortcomingLines(subject, result.face());
    reasons.insert(reasons.end(), lines.begin(), lines.end());
  }
  return reasons;
}

std::string DescribeSearch(const v1::DecisionBasis& basis, uint64_t identities) {
  return fmt::format("{}; {} searched", DescribeBasis(basis),
                     Counted(identities, "identity", "identities"));
}

// A line for each collection, where there are several.
std::string SummaryOfIdentify(const v1::IdentifyResponse& answer) {
  if (answer.searched_size() < 2) {
    return DescribeSearch(answer.basis(), answer.gallery_identities());
  }
  std::vector<std::string> lines;
  for (const auto& one : answer.searched()) {
    lines.push_back(one.collection_id() + ": " +
                    DescribeSearch(one.basis(), one.gallery_identities()));
  }
  return fmt::format("{}", fmt::join(lines, "\n"));
}

ExitCode IdentifyCommand::Run(Session& session) {
  if (unique_ && photo_options_.select.empty()) photo_options_.select = "all";
  if (unique_ && photo_options_.select != "all") {
    session.err << "facegate: --unique is for all faces of a photo, not for --select "
                << photo_options_.select << "\n";
    return ExitCode::kUsage;
  }
  if (const auto wrong = TakeWhatIsSearched(); wrong.has_value()) {
    return Fail(session, "", *wrong);
  }
  if (!sheet_.empty()) {
    if (const auto wrong = WrongWithPicture(sheet_, photos_); wrong.has_value()) {
      return Fail(session, sheet_, *wrong);
    }
  }
  IdentificationSheet page(sheet_title_);
  const Rows rows(several());
  const ExitCode code = AnswerEachPhoto(
      session, photos_, rows.EmptyTable(),
      [&](const std::string& photo) { return Identify(session, photo, page); },
      [&](const std::string& photo, const v1::IdentifyResponse& answer, Table& table) {
        return AddRows(rows, photo, answer, table);
      },
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
      *app.add_subcommand("identify", "Find who of one or more collections is in a photo (1:N)")));
}

}  // namespace facegate::cli
