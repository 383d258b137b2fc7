#include <fmt/format.h>

#include <optional>
#include <string>

#include "clients/cli/ask.h"
#include "clients/cli/calibration_page.h"
#include "clients/cli/command.h"
#include "clients/cli/private_file.h"
#include "clients/cli/report.h"
#include "clients/cli/table.h"

namespace facegate::cli {
namespace {

constexpr char kFooter[] =
    "FMR: how often two different people are taken for one. FPIR: how often a search for a "
    "stranger\n"
    "finds somebody among the collection's templates. FNMR: how often two photos of one person "
    "are\n"
    "taken for two people's. In brackets is what is to be expected on another set of as many "
    "people.\n"
    "The collection's own rates count people who are enrolled twice as false matches.\n"
    "\n"
    "Examples:\n"
    "  facegate calibration staff\n"
    "  facegate calibration staff --model-card\n"
    "  facegate calibration staff --page staff.html\n"
    "  facegate --json calibration staff";

void AddRow(const v1::GetCalibrationResponse::Row& row, Table& table) {
  table.AddRow({fmt::format("{:.3f}", row.threshold()), DescribeRate(row.fmr()),
                DescribeRate(row.fpir()) + (row.fpir().by_formula() ? " by formula" : ""),
                row.has_fnmr() ? DescribeRate(row.fnmr()) : "-"});
}

class CalibrationCommand : public Command {
 public:
  explicit CalibrationCommand(CLI::App& calibration) : Command(calibration) {
    calibration.footer(kFooter);
    calibration.add_option("COLLECTION", collection_, "Its id")->required();
    calibration.add_flag("--model-card", model_card_,
                         "What the model card says, not the collection's own scores");
    calibration.add_option("--page", page_, "Write a page with curves for a browser");
  }

  ExitCode Run(Session& session) override {
    v1::GetCalibrationRequest request;
    request.set_collection_id(collection_);
    if (model_card_) request.set_calibration(v1::CALIBRATION_CHOICE_MODEL_CARD);
    const auto answer = Ask(session, &FacegateClient::GetCalibration, request);
    if (answer.ok() && !page_.empty()) {
      const std::string page = CalibrationPage(collection_, *answer, ModelCard(session, request));
      if (const auto failure = WritePrivateFile(page_, page)) {
        return Fail(session, page_, LocalError(*failure));
      }
    }
    return Finish(session, collection_, answer,
                  [&](const v1::GetCalibrationResponse& shown) { Print(session, shown); });
  }

 private:
  // Asks for the calibration that the page compares the collection's own scores with; nothing where
  // the card has none.
  std::optional<v1::GetCalibrationResponse> ModelCard(Session& session,
                                                      v1::GetCalibrationRequest request) const {
    if (model_card_) return std::nullopt;
    request.set_calibration(v1::CALIBRATION_CHOICE_MODEL_CARD);
    auto answer = Ask(session, &FacegateClient::GetCalibration, request);
    if (!answer.ok()) return std::nullopt;
    return *std::move(answer);
  }

  static void Print(Session& session, const v1::GetCalibrationResponse& answer) {
    session.out << fmt::format(
        "{}: {} people, {} photos ({} left out), {} pairs of different people, {} of one person; "
        "calibration {}\n",
        answer.set(), answer.people(), answer.photos(), answer.photos_left_out(),
        answer.impostor_pairs(), answer.genuine_pairs(), answer.calibration_id().substr(0, 12));
    const Table::Align right = Table::Align::kRight;
    Table table({{"THRESHOLD", right},
                 WrappedColumn("FMR"),
                 WrappedColumn(fmt::format("FPIR AMONG {}", answer.searched_templates())),
                 WrappedColumn("FNMR")});
    for (const auto& row : answer.rows()) AddRow(row, table);
    table.Print(session.out, session.terminal.columns);
    if (answer.has_default_row()) {
      session.out << fmt::format("where a request has no operating point, {:.4f} decides: FMR {}\n",
                                 answer.default_row().threshold(),
                                 DescribeRate(answer.default_row().fmr()));
    }
    for (const std::string& warning : answer.warnings()) {
      session.out << "warning: " << warning << "\n";
    }
  }

  std::string collection_;
  bool model_card_ = false;
  std::string page_;
};

}  // namespace

void AddCalibration(CLI::App& app, Commands& commands) {
  commands.push_back(std::make_unique<CalibrationCommand>(*app.add_subcommand(
      "calibration", "Show how often thresholds err, by a collection's own identities")));
}

}  // namespace facegate::cli
