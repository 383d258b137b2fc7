#include <fmt/format.h>

#include <utility>

#include "clients/cli/command.h"
#include "clients/cli/listing.h"
#include "clients/cli/report.h"
#include "clients/cli/table.h"

namespace facegate {
namespace {

constexpr char kFooter[] =
    "Examples:\n"
    "  facegate identity get -c staff 1017\n"
    "  facegate identity list -c staff --limit 20\n"
    "  facegate identity delete -c staff 1017";

void PrintIdentities(Session& session, const std::vector<v1::Identity>& identities) {
  Table table({{"IDENTITY"}, {"TEMPLATES", Table::Align::kRight}, {"CREATED"}, {"UPDATED"}});
  for (const v1::Identity& identity : identities) {
    table.AddRow({identity.id(), std::to_string(identity.template_count()),
                  FormatTime(identity.create_time()), FormatTime(identity.update_time())});
  }
  table.Print(session.out);
}

class GetCommand : public Command {
 public:
  explicit GetCommand(CLI::App& get) : Command(get) {
    get.footer("Example:\n  facegate identity get -c staff 1017");
    AddCollectionOption(get, collection_);
    get.add_option("ID", identity_, "The identity")->required();
  }
  ExitCode Run(Session& session) override {
    v1::GetIdentityRequest request;
    request.set_collection_id(collection_);
    request.set_identity_id(identity_);
    const auto answer = session.client.GetIdentity(request);
    if (!answer.ok()) return Fail(session, identity_, answer.error());
    if (session.json) {
      PrintJson(session, ToJson(*answer));
    } else {
      PrintIdentities(session, {answer->identity()});
    }
    return ExitCode::kOk;
  }

 private:
  std::string collection_;
  std::string identity_;
};

class ListCommand : public Command {
 public:
  explicit ListCommand(CLI::App& list) : Command(list) {
    list.footer("Example:\n  facegate --json identity list -c staff");
    AddCollectionOption(list, collection_);
    list.add_option("--limit", limit_, "The most to show; all where not given")
        ->check(CLI::PositiveNumber);
  }
  ExitCode Run(Session& session) override {
    const auto all = CollectPages<v1::Identity>(
        limit_,
        [&](int32_t page_size, const std::string& token) {
          v1::ListIdentitiesRequest request;
          request.set_collection_id(collection_);
          request.set_page_size(page_size);
          request.set_page_token(token);
          return session.client.ListIdentities(request);
        },
        [](v1::ListIdentitiesResponse& page) { return page.mutable_identities(); });
    if (!all.ok()) return Fail(session, collection_, all.error());
    if (session.json) {
      Json json = Json::array();
      for (const v1::Identity& identity : *all) json.push_back(ToJson(identity));
      PrintJson(session, Json{{"identities", std::move(json)}});
    } else {
      PrintIdentities(session, *all);
    }
    return ExitCode::kOk;
  }

 private:
  std::string collection_;
  size_t limit_ = 0;
};

class DeleteCommand : public Command {
 public:
  explicit DeleteCommand(CLI::App& erase) : Command(erase) {
    erase.footer("Example:\n  facegate identity delete -c staff 1017");
    AddCollectionOption(erase, collection_);
    erase.add_option("ID", identity_, "The identity")->required();
  }
  ExitCode Run(Session& session) override {
    v1::DeleteIdentityRequest request;
    request.set_collection_id(collection_);
    request.set_identity_id(identity_);
    const auto answer = session.client.DeleteIdentity(request);
    if (!answer.ok()) return Fail(session, identity_, answer.error());
    if (session.json) {
      PrintJson(session, ToJson(*answer));
    } else {
      session.out << fmt::format("identity {} and its {} templates deleted\n", identity_,
                                 answer->deleted_templates());
    }
    return ExitCode::kOk;
  }

 private:
  std::string collection_;
  std::string identity_;
};

}  // namespace

void AddIdentity(CLI::App& app, Commands& commands) {
  CLI::App& family = *app.add_subcommand("identity", "Get, list and delete identities");
  family.footer(kFooter);
  family.require_subcommand(1);
  commands.push_back(
      std::make_unique<GetCommand>(*family.add_subcommand("get", "Show one identity")));
  commands.push_back(std::make_unique<ListCommand>(
      *family.add_subcommand("list", "Show the identities of a collection")));
  commands.push_back(std::make_unique<DeleteCommand>(
      *family.add_subcommand("delete", "Erase an identity with all its templates")));
}

}  // namespace facegate
