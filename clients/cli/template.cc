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
    "  facegate template list -c staff 1017\n"
    "  facegate template delete -c staff 1017 42";

void PrintTemplates(Session& session, const std::vector<v1::Template>& templates) {
  Table table({{"TEMPLATE", Table::Align::kRight},
               {"CREATED"},
               {"DETECTOR"},
               {"SCORE", Table::Align::kRight},
               {"MODEL"}});
  for (const v1::Template& face : templates) {
    table.AddRow({std::to_string(face.id()), FormatTime(face.create_time()), face.detector(),
                  fmt::format("{:.3f}", face.detection_score()),
                  face.model_digest().substr(0, 12)});
  }
  table.Print(session.out);
}

class ListCommand : public Command {
 public:
  explicit ListCommand(CLI::App& list) : Command(list) {
    list.footer("Example:\n  facegate --json template list -c staff 1017");
    AddCollectionOption(list, collection_);
    list.add_option("ID", identity_, "The identity")->required();
    list.add_option("--limit", limit_, "The most to show; all where not given")
        ->check(CLI::PositiveNumber);
  }
  ExitCode Run(Session& session) override {
    const auto all = CollectPages<v1::Template>(
        limit_,
        [&](int32_t page_size, const std::string& token) {
          v1::ListTemplatesRequest request;
          request.set_collection_id(collection_);
          request.set_identity_id(identity_);
          request.set_page_size(page_size);
          request.set_page_token(token);
          return session.client.ListTemplates(request);
        },
        [](v1::ListTemplatesResponse& page) { return page.mutable_templates(); });
    if (!all.ok()) return Fail(session, identity_, all.error());
    if (session.json) {
      Json json = Json::array();
      for (const v1::Template& face : *all) json.push_back(ToJson(face));
      PrintJson(session, Json{{"templates", std::move(json)}});
    } else {
      PrintTemplates(session, *all);
    }
    return ExitCode::kOk;
  }

 private:
  std::string collection_;
  std::string identity_;
  size_t limit_ = 0;
};

class DeleteCommand : public Command {
 public:
  explicit DeleteCommand(CLI::App& erase) : Command(erase) {
    erase.footer("Example:\n  facegate template delete -c staff 1017 42");
    AddCollectionOption(erase, collection_);
    erase.add_option("ID", identity_, "The identity")->required();
    erase.add_option("TEMPLATE", template_id_, "The template's number")->required();
  }
  ExitCode Run(Session& session) override {
    v1::DeleteTemplateRequest request;
    request.set_collection_id(collection_);
    request.set_identity_id(identity_);
    request.set_template_id(template_id_);
    const auto answer = session.client.DeleteTemplate(request);
    if (!answer.ok()) return Fail(session, identity_, answer.error());
    if (session.json) {
      PrintJson(session, ToJson(*answer));
    } else {
      session.out << fmt::format("template {} of identity {} deleted\n", template_id_, identity_);
    }
    return ExitCode::kOk;
  }

 private:
  std::string collection_;
  std::string identity_;
  uint64_t template_id_ = 0;
};

}  // namespace

void AddTemplate(CLI::App& app, Commands& commands) {
  CLI::App& family =
      *app.add_subcommand("template", "List and delete the templates of an identity");
  family.footer(kFooter);
  family.require_subcommand(1);
  commands.push_back(std::make_unique<ListCommand>(
      *family.add_subcommand("list", "Show the templates of an identity")));
  commands.push_back(
      std::make_unique<DeleteCommand>(*family.add_subcommand("delete", "Erase one template")));
}

}  // namespace facegate
