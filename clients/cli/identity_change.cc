#include <fmt/format.h>

#include <utility>

#include "clients/cli/command.h"
#include "clients/cli/identity_path.h"
#include "clients/cli/label_change.h"
#include "clients/cli/report.h"
#include "clients/cli/write.h"
#include "face/base/counted.h"

namespace facegate::cli {
namespace {

constexpr char kLabelFooter[] =
    "Keys match [a-z][a-z0-9._-]{0,62}; an identity has at most 64 labels.\n"
    "\n"
    "Examples:\n"
    "  facegate identity label -c staff 1017 room=4 'team=night shift' badge-\n"
    "  facegate identity label -c staff 1017 --replace room=4      all other labels are removed\n"
    "  facegate identity label -c staff 1017 --replace             all labels are removed";

class LabelCommand : public Command {
 public:
  explicit LabelCommand(CLI::App& label) : Command(label) {
    label.footer(kLabelFooter);
    AddIdentityPath(label, path_);
    label.add_option("CHANGE", changes_, "KEY=VALUE sets a label, KEY- removes it");
    label.add_flag("--replace", replace_, "Remove all labels that are not given");
    label.add_option("--etag", etag_, "Only if the identity still has this etag");
    AddRequestId(label, request_id_);
  }
  ExitCode Run(Session& session) override {
    auto parsed = ParseLabelChange(changes_, replace_);
    if (!parsed.ok()) return Fail(session, "", parsed.error());
    v1::UpdateIdentityRequest request = std::move(parsed).value();
    path_.CopyTo(request);
    request.mutable_identity()->set_etag(etag_);
    return Finish(session, path_.identity,
                  Write(session, &FacegateClient::UpdateIdentity, request, request_id_),
                  [&](const auto& answer) { PrintIdentities(session, {answer.identity()}); });
  }

 private:
  IdentityPath path_;
  std::vector<std::string> changes_;
  bool replace_ = false;
  std::string etag_;
  std::string request_id_;
};

class RenameCommand : public Command {
 public:
  explicit RenameCommand(CLI::App& rename) : Command(rename) {
    rename.footer(
        "Templates, labels and the time of creation stay.\n"
        "\n"
        "Example:\n  facegate identity rename -c staff 1017 2042");
    AddIdentityPath(rename, path_);
    rename.add_option("NEW_ID", new_id_, "Its new id")->required();
    rename.add_option("--etag", etag_, "Only if the identity still has this etag");
    AddRequestId(rename, request_id_);
  }
  ExitCode Run(Session& session) override {
    v1::RenameIdentityRequest request;
    path_.CopyTo(request);
    request.set_new_identity_id(new_id_);
    request.set_etag(etag_);
    return Finish(session, path_.identity,
                  Write(session, &FacegateClient::RenameIdentity, request, request_id_),
                  [&](const auto& answer) { PrintIdentities(session, {answer.identity()}); });
  }

 private:
  IdentityPath path_;
  std::string new_id_;
  std::string etag_;
  std::string request_id_;
};

class MergeCommand : public Command {
 public:
  explicit MergeCommand(CLI::App& merge) : Command(merge) {
    merge.footer(
        "All templates of the identity move to the other one, and so do the labels that it lacks.\n"
        "\n"
        "Example:\n  facegate identity merge -c staff 1018 --into 1017");
    AddIdentityPath(merge, source_,
                    "The identity that is merged into the other and then no longer exists");
    merge.add_option("--into", target_, "The identity that stays")->required()->type_name("ID");
    merge.add_option("--etag", source_etag_,
                     "Only if the identity that is merged still has this etag");
    merge.add_option("--into-etag", target_etag_,
                     "Only if the identity that stays still has this etag");
    AddRequestId(merge, request_id_);
  }
  ExitCode Run(Session& session) override {
    v1::MergeIdentitiesRequest request;
    request.set_collection_id(source_.collection);
    request.set_source_identity_id(source_.identity);
    request.set_source_etag(source_etag_);
    request.set_target_identity_id(target_);
    request.set_target_etag(target_etag_);
    return Finish(session, source_.identity,
                  Write(session, &FacegateClient::MergeIdentities, request, request_id_),
                  [&](const v1::MergeIdentitiesResponse& answer) {
                    PrintIdentities(session, {answer.identity()});
                    session.out << fmt::format(
                        "{} of {} now {} to {}\n", Counted(answer.moved_templates(), "template"),
                        source_.identity, answer.moved_templates() == 1 ? "belongs" : "belong",
                        answer.identity().id());
                  });
  }

 private:
  IdentityPath source_;
  std::string target_;
  std::string source_etag_;
  std::string target_etag_;
  std::string request_id_;
};

}  // namespace

void AddIdentityChanges(CLI::App& family, Commands& commands) {
  commands.push_back(std::make_unique<LabelCommand>(
      *family.add_subcommand("label", "Set and remove labels of an identity")));
  commands.push_back(std::make_unique<RenameCommand>(
      *family.add_subcommand("rename", "Give an identity another id")));
  commands.push_back(
      std::make_unique<MergeCommand>(*family.add_subcommand("merge", "Make one identity of two")));
}

}  // namespace facegate::cli
