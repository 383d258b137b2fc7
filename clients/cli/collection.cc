#include <fmt/format.h>

#include <optional>
#include <utility>

#include "clients/cli/ask.h"
#include "clients/cli/command.h"
#include "clients/cli/listing.h"
#include "clients/cli/photo.h"
#include "clients/cli/report.h"
#include "clients/cli/table.h"
#include "clients/cli/write.h"

namespace facegate {
namespace {

constexpr char kCollectionFooter[] =
    "A collection is bound for good to the model that the server ran when it was created.\n"
    "\n"
    "Examples:\n"
    "  facegate collection create staff --min-cosine 0.4\n"
    "  facegate collection get staff\n"
    "  facegate collection list\n"
    "  facegate collection update staff --min-cosine 0.45\n"
    "  facegate collection delete staff --force";

void PrintCollections(Session& session, const std::vector<v1::Collection>& collections) {
  Table table({WrappedColumn("COLLECTION"),
               {"IDENTITIES", Table::Align::kRight},
               {"TEMPLATES", Table::Align::kRight},
               {"MIN COSINE", Table::Align::kRight},
               WrappedColumn("USABLE"),
               OptionalColumn("CREATED"),
               WrappedColumn("ETAG"),
               OptionalColumn("MODEL")});
  for (const v1::Collection& collection : collections) {
    table.AddRow({collection.id(), std::to_string(collection.identity_count()),
                  std::to_string(collection.template_count()),
                  collection.has_min_cosine() ? FormatCosine(collection.min_cosine()) : "-",
                  collection.usable() ? "yes" : "no: other model",
                  FormatMinute(collection.create_time()),
                  collection.etag().empty() ? "-" : collection.etag(),
                  collection.model_digest().substr(0, 12)});
  }
  table.Print(session.out, session.terminal.columns);
}

class CollectionCreateCommand : public Command {
 public:
  explicit CollectionCreateCommand(CLI::App& create) : Command(create) {
    create.footer("Example:\n  facegate collection create staff --min-cosine 0.4");
    create.add_option("COLLECTION", collection_, "Its id")->required();
    AddMinCosine(create, min_cosine_, "Its operating point, for requests that have none");
    AddRequestId(create, request_id_);
  }
  ExitCode Run(Session& session) override {
    v1::CreateCollectionRequest request;
    request.set_collection_id(collection_);
    if (min_cosine_.has_value()) request.set_min_cosine(*min_cosine_);
    return Finish(session, collection_,
                  Write(session, &FacegateClient::CreateCollection, request, request_id_),
                  [&](const auto& answer) { PrintCollections(session, {answer.collection()}); });
  }

 private:
  std::string collection_;
  std::optional<float> min_cosine_;
  std::string request_id_;
};

class CollectionGetCommand : public Command {
 public:
  explicit CollectionGetCommand(CLI::App& get) : Command(get) {
    get.footer("Example:\n  facegate collection get staff");
    get.add_option("COLLECTION", collection_, "Its id")->required();
  }
  ExitCode Run(Session& session) override {
    v1::GetCollectionRequest request;
    request.set_collection_id(collection_);
    return Finish(session, collection_, Ask(session, &FacegateClient::GetCollection, request),
                  [&](const auto& answer) { PrintCollections(session, {answer.collection()}); });
  }

 private:
  std::string collection_;
};

class CollectionListCommand : public Command {
 public:
  explicit CollectionListCommand(CLI::App& list) : Command(list) {
    list.footer("Example:\n  facegate --json collection list --limit 10");
    AddLimit(list, limit_);
  }
  ExitCode Run(Session& session) override {
    const auto all = CollectPages<v1::Collection>(
        limit_,
        [&](int32_t page_size, const std::string& token) {
          v1::ListCollectionsRequest request;
          request.set_page_size(page_size);
          request.set_page_token(token);
          return Ask(session, &FacegateClient::ListCollections, request);
        },
        [](v1::ListCollectionsResponse& page) { return page.mutable_collections(); });
    return FinishList(session, "", all, "collections", [&] { PrintCollections(session, *all); });
  }

 private:
  size_t limit_ = 0;
};

class CollectionUpdateCommand : public Command {
 public:
  explicit CollectionUpdateCommand(CLI::App& update) : Command(update) {
    update.footer(
        "Examples:\n"
        "  facegate collection update staff --min-cosine 0.45\n"
        "  facegate collection update staff --no-min-cosine    the model card's default decides");
    update.add_option("COLLECTION", collection_, "Its id")->required();
    AddMinCosine(update, min_cosine_, "Its new operating point, for requests that have none");
    update.add_flag("--no-min-cosine", no_min_cosine_, "Take its operating point away")
        ->excludes("--min-cosine");
    update.add_option("--etag", etag_, "Only if the collection still has this etag");
    AddRequestId(update, request_id_);
  }
  ExitCode Run(Session& session) override {
    if (!min_cosine_.has_value() && !no_min_cosine_) {
      return Fail(session, collection_,
                  LocalError("there is nothing to change; expected --min-cosine COSINE or "
                             "--no-min-cosine"));
    }
    v1::UpdateCollectionRequest request;
    request.set_collection_id(collection_);
    request.mutable_update_mask()->add_paths("min_cosine");
    if (min_cosine_.has_value()) request.mutable_collection()->set_min_cosine(*min_cosine_);
    request.mutable_collection()->set_etag(etag_);
    return Finish(session, collection_,
                  Write(session, &FacegateClient::UpdateCollection, request, request_id_),
                  [&](const auto& answer) { PrintCollections(session, {answer.collection()}); });
  }

 private:
  std::string collection_;
  std::optional<float> min_cosine_;
  bool no_min_cosine_ = false;
  std::string etag_;
  std::string request_id_;
};

class CollectionDeleteCommand : public Command {
 public:
  explicit CollectionDeleteCommand(CLI::App& erase) : Command(erase) {
    erase.footer("Example:\n  facegate collection delete staff --force");
    erase.add_option("COLLECTION", collection_, "Its id")->required();
    erase.add_flag("--force", force_, "Even if it holds identities, which are then erased");
    AddRequestId(erase, request_id_);
  }
  ExitCode Run(Session& session) override {
    v1::DeleteCollectionRequest request;
    request.set_collection_id(collection_);
    request.set_force(force_);
    return Finish(session, collection_,
                  Write(session, &FacegateClient::DeleteCollection, request, request_id_),
                  [&](const auto& /*answer*/) {
                    session.out << fmt::format("collection {} deleted\n", collection_);
                  });
  }

 private:
  std::string collection_;
  bool force_ = false;
  std::string request_id_;
};

}  // namespace

void AddCollectionOption(CLI::App& app, std::string& collection) {
  collection = "default";
  app.add_option("-c,--collection", collection, "The collection")
      ->envname("FACEGATE_COLLECTION")
      ->capture_default_str();
}

void AddCollection(CLI::App& app, Commands& commands) {
  CLI::App& family =
      *app.add_subcommand("collection", "Create, get, list, update and delete collections");
  family.footer(kCollectionFooter);
  family.require_subcommand(1);
  commands.push_back(std::make_unique<CollectionCreateCommand>(
      *family.add_subcommand("create", "Create a collection")));
  commands.push_back(
      std::make_unique<CollectionGetCommand>(*family.add_subcommand("get", "Show one collection")));
  commands.push_back(std::make_unique<CollectionListCommand>(
      *family.add_subcommand("list", "Show all collections")));
  commands.push_back(std::make_unique<CollectionUpdateCommand>(
      *family.add_subcommand("update", "Change the operating point of a collection")));
  commands.push_back(std::make_unique<CollectionDeleteCommand>(
      *family.add_subcommand("delete", "Erase a collection")));
}

}  // namespace facegate
