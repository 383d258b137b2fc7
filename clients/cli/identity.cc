#include <fmt/format.h>

#include <map>
#include <utility>

#include "clients/cli/ask.h"
#include "clients/cli/command.h"
#include "clients/cli/identity_path.h"
#include "clients/cli/listing.h"
#include "clients/cli/report.h"
#include "clients/cli/table.h"
#include "clients/cli/write.h"
#include "face/base/counted.h"

namespace facegate::cli {
namespace {

constexpr char kIdentityFooter[] =
    "Examples:\n"
    "  facegate identity get -c staff 1017\n"
    "  facegate identity list -c staff --limit 20\n"
    "  facegate identity label -c staff 1017 room=4 badge-\n"
    "  facegate identity rename -c staff 1017 2042\n"
    "  facegate identity merge -c staff 1018 --into 1017\n"
    "  facegate identity delete -c staff 1017";

// "badge=77, room=4", in the order of keys.
std::string DescribeLabels(const v1::Identity& identity) {
  const std::map<std::string, std::string> labels(identity.labels().begin(),
                                                  identity.labels().end());
  std::string text;
  for (const auto& [key, value] : labels) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", key, value);
  }
  return text.empty() ? "-" : text;
}

class IdentityGetCommand : public Command {
 public:
  explicit IdentityGetCommand(CLI::App& get) : Command(get) {
    get.footer("Example:\n  facegate identity get -c staff 1017");
    AddIdentityPath(get, path_);
  }
  ExitCode Run(Session& session) override {
    v1::GetIdentityRequest request;
    path_.CopyTo(request);
    return Finish(session, path_.identity, Ask(session, &FacegateClient::GetIdentity, request),
                  [&](const auto& answer) { PrintIdentities(session, {answer.identity()}); });
  }

 private:
  IdentityPath path_;
};

class IdentityListCommand : public Command {
 public:
  explicit IdentityListCommand(CLI::App& list) : Command(list) {
    list.footer("Example:\n  facegate --json identity list -c staff");
    AddCollectionOption(list, collection_);
    AddLimit(list, limit_);
  }
  ExitCode Run(Session& session) override {
    const auto all = CollectPages<v1::Identity>(
        limit_,
        [&](int32_t page_size, const std::string& token) {
          v1::ListIdentitiesRequest request;
          request.set_collection_id(collection_);
          request.set_page_size(page_size);
          request.set_page_token(token);
          return Ask(session, &FacegateClient::ListIdentities, request);
        },
        [](v1::ListIdentitiesResponse& page) { return page.mutable_identities(); });
    return FinishList(session, collection_, all, "identities",
                      [&] { PrintIdentities(session, *all); });
  }

 private:
  std::string collection_;
  size_t limit_ = 0;
};

class IdentityDeleteCommand : public Command {
 public:
  explicit IdentityDeleteCommand(CLI::App& erase) : Command(erase) {
    erase.footer("Example:\n  facegate identity delete -c staff 1017");
    AddIdentityPath(erase, path_);
    erase.add_option("--etag", etag_, "Only if the identity still has this etag");
    AddRequestId(erase, request_id_);
  }
  ExitCode Run(Session& session) override {
    v1::DeleteIdentityRequest request;
    path_.CopyTo(request);
    request.set_etag(etag_);
    return Finish(session, path_.identity,
                  Write(session, &FacegateClient::DeleteIdentity, request, request_id_),
                  [&](const auto& answer) {
                    session.out << fmt::format("identity {} and its {} deleted\n", path_.identity,
                                               Counted(answer.deleted_templates(), "template"));
                  });
  }

 private:
  IdentityPath path_;
  std::string etag_;
  std::string request_id_;
};

}  // namespace

void PrintIdentities(Session& session, const std::vector<v1::Identity>& identities) {
  Table table({WrappedColumn("IDENTITY"),
               {"TEMPLATES", Table::Align::kRight},
               OptionalColumn("CREATED"),
               OptionalColumn("UPDATED"),
               WrappedColumn("ETAG"),
               WrappedColumn("LABELS")});
  for (const v1::Identity& identity : identities) {
    table.AddRow({identity.id(), std::to_string(identity.template_count()),
                  FormatMinute(identity.create_time()), FormatMinute(identity.update_time()),
                  identity.etag(), DescribeLabels(identity)});
  }
  table.Print(session.out, session.terminal.columns);
}

void AddIdentity(CLI::App& app, Commands& commands) {
  CLI::App& family =
      *app.add_subcommand("identity", "Get, list, label, rename, merge and delete identities");
  family.footer(kIdentityFooter);
  family.require_subcommand(1);
  commands.push_back(
      std::make_unique<IdentityGetCommand>(*family.add_subcommand("get", "Show one identity")));
  commands.push_back(std::make_unique<IdentityListCommand>(
      *family.add_subcommand("list", "Show the identities of a collection")));
  AddIdentityChanges(family, commands);
  commands.push_back(std::make_unique<IdentityDeleteCommand>(
      *family.add_subcommand("delete", "Erase an identity with all its templates")));
}

}  // namespace facegate::cli
