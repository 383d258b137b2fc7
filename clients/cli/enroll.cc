#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "clients/cli/bulk_enrolment.h"
#include "clients/cli/command.h"
#include "clients/cli/enrolment_plan.h"
#include "clients/cli/interrupt.h"
#include "clients/cli/number_range.h"
#include "clients/cli/photo.h"
#include "clients/cli/progress.h"
#include "clients/cli/report.h"
#include "clients/cli/table.h"
#include "clients/cli/unicode_text.h"
#include "clients/cli/write.h"
#include "face/base/counted.h"

namespace facegate::cli {
namespace {

constexpr char kEnrollFooter[] =
    "With --dir each folder right below DIR is a person. The folder's name is the identity's\n"
    "id; where it cannot be one, as a name in Chinese cannot, an id is made from it. The label\n"
    "'folder' keeps the name itself, and nothing is added to an identity that came from another\n"
    "folder. Photos are told by their content, not by the ends of their names. What fails or is\n"
    "left out is listed at the end, and the rest continues (exit code 5). Giving the command "
    "again\n"
    "completes what failed or was interrupted: photos that are enrolled are not sent again.\n"
    "\n"
    "Examples:\n"
    "  facegate enroll 1017 front.jpg side.jpg\n"
    "  facegate enroll -c staff --create-collection --must-be-new 1017 front.jpg\n"
    "  facegate enroll -c staff --crop 1017 aligned-112x112.png\n"
    "  facegate enroll -c staff --dir photos/ --first 1 --select central\n"
    "  facegate --json enroll --dir photos/ --jobs 16";

class EnrollCommand : public Command {
 public:
  explicit EnrollCommand(CLI::App& enroll) : Command(enroll) {
    enroll.footer(kEnrollFooter);
    AddCollectionOption(enroll, collection_);
    CLI::Option* identity = enroll.add_option("ID", identity_, "The identity");
    CLI::Option* photos = enroll.add_option(
        "PHOTO", photos_,
        std::string("Photos of this person: all of them are enrolled, or none") + kPhotoHint);
    CLI::Option* dir = enroll.add_option("--dir", dir_, "A folder with a folder for each person")
                           ->excludes(identity)
                           ->excludes(photos);
    enroll.add_option("--first", first_, "Only the first N photos of a person, in name order")
        ->needs(dir)
        ->check(WholeNumberBetween(1, 1'000'000));
    enroll.add_option("--jobs", jobs_, "Requests in flight")
        ->needs(dir)
        ->check(WholeNumberBetween(1, 256))
        ->capture_default_str();
    enroll.add_flag("--again", again_, "Also photos that are enrolled already")->needs(dir);
    AddPhotoOptions(enroll, photo_options_, AllowAll::kNo);
    enroll.add_flag("--must-be-new", must_be_new_, "Refuse an identity that exists already");
    enroll.add_flag("--create-collection", create_collection_,
                    "Create the collection where it is absent");
    AddRequestId(enroll, request_id_)->excludes(dir);
  }

  ExitCode Run(Session& session) override {
    if (dir_.empty() && (identity_.empty() || photos_.empty())) {
      session.err << "facegate: enroll needs ID and PHOTO, or --dir DIR; see facegate enroll "
                     "--help\n";
      return ExitCode::kUsage;
    }
    if (create_collection_) {
      v1::CreateCollectionRequest request;
      request.set_collection_id(collection_);
      request.set_request_id(MakeRequestId());
      const auto created = Send(session, &FacegateClient::CreateCollection, request);
      if (!created.ok() && created.error().reason != "COLLECTION_EXISTS") {
        return Fail(session, collection_, created.error());
      }
    }
    return dir_.empty() ? EnrollOne(session) : EnrollFolder(session);
  }

 private:
  ExitCode EnrollOne(Session& session);
  void PrintEnrolment(Session& session, const v1::EnrollResponse& answer) const;
  ExitCode EnrollFolder(Session& session);
  BulkReport EnrollPeopleOf(Session& session, const EnrolmentPlan& plan) const;

  std::string collection_;
  std::string identity_;
  std::vector<std::string> photos_;
  std::string dir_;
  size_t first_ = 0;
  int jobs_ = 8;
  PhotoOptions photo_options_;
  bool again_ = false;
  bool must_be_new_ = false;
  bool create_collection_ = false;
  std::string request_id_;
};

ExitCode EnrollCommand::EnrollOne(Session& session) {
  v1::EnrollRequest request;
  request.set_collection_id(collection_);
  request.set_identity_id(identity_);
  request.set_must_be_new(must_be_new_);
  for (const std::string& photo : photos_) {
    auto probe = ReadSample(photo, photo_options_);
    if (!probe.ok()) return Fail(session, photo, probe.error());
    *request.add_samples() = std::move(probe).value();
  }
  return Finish(session, identity_, Write(session, &FacegateClient::Enroll, request, request_id_),
                [&](const auto& answer) { PrintEnrolment(session, answer); });
}

void EnrollCommand::PrintEnrolment(Session& session, const v1::EnrollResponse& answer) const {
  Table table({WrappedColumn("PHOTO"), {"TEMPLATE", Table::Align::kRight}, WrappedColumn("FACE")});
  for (int i = 0; i < answer.samples_size(); ++i) {
    const auto& sample = answer.samples(i);
    const size_t photo = static_cast<size_t>(i);
    table.AddRow({photo < photos_.size() ? photos_[photo] : "",
                  std::to_string(sample.template_().id()),
                  sample.has_face() ? DescribeFace(sample.face()) : "-"});
  }
  table.Print(session.out, session.terminal.columns);
  session.out << fmt::format("identity {}: {}, {} now\n", answer.identity().id(),
                             answer.created_identity() ? "created" : "existed already",
                             Counted(answer.identity().template_count(), "template"));
}

ExitCode FolderExitCode(const BulkReport& report, const EnrolmentPlan& plan) {
  if (report.interrupted) return ExitCode::kInterrupted;
  if (report.unreachable) return ExitCode::kUnreachable;
  if (report.failures.empty() && plan.left_out.empty()) return ExitCode::kOk;
  const bool nothing = report.templates == 0 && report.already == 0;
  return nothing && report.refused ? ExitCode::kRefused : ExitCode::kPartial;
}

Json ToJson(const BulkReport& report, const EnrolmentPlan& plan) {
  Json json;
  json["people"] = plan.people.size();
  json["photos"] = plan.photo_count();
  json["enrolled_people"] = report.people;
  json["enrolled_templates"] = report.templates;
  json["already_enrolled"] = report.already;
  json["not_sent"] = report.not_sent;
  json["skipped"] = plan.skipped;
  json["seconds"] = report.seconds;
  json["warnings"] = plan.warnings;
  json["failures"] = Json::array();
  for (const BulkFailure& failure : report.failures) {
    json["failures"].push_back(
        {{"file", failure.file}, {"reason", failure.reason}, {"message", failure.message}});
  }
  json["left_out"] = Json::array();
  for (const LeftOut& file : plan.left_out) {
    json["left_out"].push_back({{"file", file.path.string()}, {"message", file.message}});
  }
  json["identities"] = Json::object();
  for (const PlannedPerson& person : plan.people) json["identities"][person.folder] = person.id;
  return json;
}

std::string Summary(const BulkReport& report, const EnrolmentPlan& plan) {
  std::string text =
      fmt::format("{} of {} enrolled in {:.1f} s", Counted(report.templates, "template"),
                  Counted(report.people, "person", "people"), report.seconds);
  const std::pair<size_t, const char*> others[] = {
      {report.already, "already enrolled"},
      {report.failures.size(), "failed"},
      {plan.left_out.size(), "left out"},
      {report.not_sent, "not sent"},
      {plan.skipped, "hidden or system files skipped"}};
  for (const auto& [count, what] : others) {
    if (count > 0) text += fmt::format("; {} {}", count, what);
  }
  return text;
}

void PrintReport(Session& session, const BulkReport& report, const EnrolmentPlan& plan) {
  if (!report.failures.empty()) {
    Table table({WrappedColumn("FAILED"), {"REASON"}, WrappedColumn("MESSAGE")});
    for (const BulkFailure& failure : report.failures) {
      table.AddRow({failure.file, failure.reason, failure.message});
    }
    table.Print(session.out, session.terminal.columns);
  }
  if (!plan.left_out.empty()) {
    Table table({WrappedColumn("LEFT OUT"), WrappedColumn("BECAUSE IT")});
    for (const LeftOut& file : plan.left_out) table.AddRow({file.path.string(), file.message});
    table.Print(session.out, session.terminal.columns);
  }
  session.out << Summary(report, plan) << "\n";
}

BulkReport EnrollCommand::EnrollPeopleOf(Session& session, const EnrolmentPlan& plan) const {
  const InterruptWatch watch;
  Progress progress(session.err, session.terminal.redraws, plan.photo_count());
  BulkReport report = EnrollPlan(session.client, plan,
                                 {.collection = collection_,
                                  .must_be_new = must_be_new_,
                                  .again = again_,
                                  .jobs = jobs_,
                                  .photo = photo_options_,
                                  .interrupted = [&watch] { return watch.interrupted(); }},
                                 progress);
  if (plan.photo_count() > 0) progress.Finish();
  return report;
}

ExitCode EnrollCommand::EnrollFolder(Session& session) {
  auto plan = PlanEnrolment(dir_, first_);
  if (!plan.ok()) return Fail(session, dir_, plan.error());
  for (const std::string& warning : plan->warnings) {
    session.err << "facegate: " << Printable(warning) << "\n";
  }
  const BulkReport report = EnrollPeopleOf(session, *plan);
  if (session.json) {
    PrintJson(session, ToJson(report, *plan));
  } else {
    PrintReport(session, report, *plan);
  }
  if (report.unreachable) PrintError(session, "stopped", report.last_error);
  if (report.interrupted) session.err << "facegate: interrupted\n";
  if (report.not_sent > 0) {
    session.err << "facegate: give the same command again to enrol the rest\n";
  }
  return FolderExitCode(report, *plan);
}

}  // namespace

void AddEnroll(CLI::App& app, Commands& commands) {
  commands.push_back(std::make_unique<EnrollCommand>(
      *app.add_subcommand("enroll", "Add templates of a person, or of a folder of people")
           ->alias("enrol")));
}

}  // namespace facegate::cli
