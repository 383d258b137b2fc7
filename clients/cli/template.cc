#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <utility>

#include "clients/cli/ask.h"
#include "clients/cli/command.h"
#include "clients/cli/identity_path.h"
#include "clients/cli/listing.h"
#include "clients/cli/number_range.h"
#include "clients/cli/quality_text.h"
#include "clients/cli/report.h"
#include "clients/cli/table.h"
#include "clients/cli/write.h"

namespace facegate::cli {
namespace {

constexpr char kTemplateFooter[] =
    "Examples:\n"
    "  facegate template list -c staff 1017\n"
    "  facegate template delete -c staff 1017 42";

// Says what the template was made from, and so who vouches for the face in it.
std::string SourceName(v1::TemplateSource source) {
  switch (source) {
    case v1::TEMPLATE_SOURCE_IMAGE:
      return "image";
    case v1::TEMPLATE_SOURCE_ALIGNED_CROP:
      return "crop";
    case v1::TEMPLATE_SOURCE_EMBEDDING:
      return "embedding";
    default:
      return "-";
  }
}

void PrintTemplates(Session& session, const std::vector<v1::Template>& templates) {
  Table table({{"TEMPLATE", Table::Align::kRight},
               {"CREATED"},
               WrappedColumn("DETECTOR"),
               {"SCORE", Table::Align::kRight},
               {"QUALITY", Table::Align::kRight},
               {"SOURCE"},
               {"MODEL"}});
  for (const v1::Template& face : templates) {
    table.AddRow({std::to_string(face.id()), FormatMinute(face.create_time()), face.detector(),
                  fmt::format("{:.3f}", face.detection_score()),
                  face.has_quality() ? FormatQuality(face.quality()) : "-",
                  SourceName(face.source()), face.model_digest().substr(0, 12)});
  }
  table.Print(session.out, session.terminal.columns);
}

class TemplateListCommand : public Command {
 public:
  explicit TemplateListCommand(CLI::App& list) : Command(list) {
    list.footer("Example:\n  facegate --json template list -c staff 1017");
    AddIdentityPath(list, path_);
    AddLimit(list, limit_);
  }
  ExitCode Run(Session& session) override {
    const auto all = CollectPages<v1::Template>(
        limit_,
        [&](int32_t page_size, const std::string& token) {
          v1::ListTemplatesRequest request;
          path_.CopyTo(request);
          request.set_page_size(page_size);
          request.set_page_token(token);
          return Ask(session, &FacegateClient::ListTemplates, request);
        },
        [](v1::ListTemplatesResponse& page) { return page.mutable_templates(); });
    return FinishList(session, path_.identity, all, "templates",
                      [&] { PrintTemplates(session, *all); });
  }

 private:
  IdentityPath path_;
  size_t limit_ = 0;
};

class TemplateDeleteCommand : public Command {
 public:
  explicit TemplateDeleteCommand(CLI::App& erase) : Command(erase) {
    erase.footer("Example:\n  facegate template delete -c staff 1017 42");
    AddIdentityPath(erase, path_);
    erase.add_option("TEMPLATE", template_id_, "The template's number")
        ->required()
        ->check(WholeNumberBetween(0, std::numeric_limits<int64_t>::max()));
    AddRequestId(erase, request_id_);
  }
  ExitCode Run(Session& session) override {
    v1::DeleteTemplateRequest request;
    path_.CopyTo(request);
    request.set_template_id(template_id_);
    return Finish(session, path_.identity,
                  Write(session, &FacegateClient::DeleteTemplate, request, request_id_),
                  [&](const auto& /*answer*/) {
                    session.out << fmt::format("template {} of identity {} deleted\n", template_id_,
                                               path_.identity);
                  });
  }

 private:
  IdentityPath path_;
  uint64_t template_id_ = 0;
  std::string request_id_;
};

}  // namespace

void AddTemplate(CLI::App& app, Commands& commands) {
  CLI::App& family =
      *app.add_subcommand("template", "List and delete the templates of an identity");
  family.footer(kTemplateFooter);
  family.require_subcommand(1);
  commands.push_back(std::make_unique<TemplateListCommand>(
      *family.add_subcommand("list", "Show the templates of an identity")));
  commands.push_back(std::make_unique<TemplateDeleteCommand>(
      *family.add_subcommand("delete", "Erase one template")));
}

}  // namespace facegate::cli
