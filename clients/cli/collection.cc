#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <utility>

#include "clients/cli/ask.h"
#include "clients/cli/command.h"
#include "clients/cli/listing.h"
#include "clients/cli/photo.h"
#include "clients/cli/quality_text.h"
#include "clients/cli/report.h"
#include "clients/cli/table.h"
#include "clients/cli/write.h"

namespace facegate::cli {
namespace {

constexpr char kCollectionFooter[] =
    "A collection is bound for good to the model that the server ran when it was created.\n"
    "\n"
    "Examples:\n"
    "  facegate collection create staff --min-cosine 0.4\n"
    "  facegate collection get staff\n"
    "  facegate collection list\n"
    "  facegate collection update staff --min-cosine 0.45 --probe-quality 0.5\n"
    "  facegate collection delete staff --force";

// Says what a collection wants of faces, each where it says so.
struct QualityOptions {
  std::optional<float> enrol;
  std::optional<float> probe;

  void AddTo(CLI::App& app) {
    AddLeastQuality(app, "enrol-quality", enrol,
                    "The least quality of a face that is enrolled in it; 0 takes every face");
    AddLeastQuality(app, "probe-quality", probe,
                    "The least quality of a face that is compared with it; 0 compares every face");
  }
  template <typename Message>
  void CopyTo(Message& message) const {
    if (enrol.has_value()) message.set_enrol_quality(*enrol);
    if (probe.has_value()) message.set_probe_quality(*probe);
  }
};

// The guards of enrolments, each where it is given.
struct GuardOptions {
  std::optional<double> identity_match;
  std::optional<double> duplicate;

  void AddTo(CLI::App& app) {
    AddErrorRate(app, "identity-match-fmr", identity_match,
                 "A new face must match the identity's others at this false match rate");
    AddErrorRate(app, "duplicate-fmr", duplicate,
                 "A new face may match no other identity at this false match rate");
  }
  template <typename Message>
  void CopyTo(Message& message) const {
    if (identity_match.has_value()) message.set_identity_match_fmr(*identity_match);
    if (duplicate.has_value()) message.set_duplicate_fmr(*duplicate);
  }
};

constexpr std::pair<const char*, v1::Fusion> kFusions[] = {
    {"best", v1::FUSION_BEST_TEMPLATE},
    {"mean", v1::FUSION_MEAN_TEMPLATE},
    {"two-best", v1::FUSION_MEAN_OF_TWO_BEST}};

// Says how scores are made, each where it is given.
struct ScoreOptions {
  std::string fusion;
  bool cohort = false;
  bool no_cohort = false;

  void AddTo(CLI::App& app) {
    app.add_option("--fusion", fusion,
                   "What makes the score: the best of an identity's templates, their mean, or the "
                   "mean of its two best scores (best unless set)")
        ->check(CLI::IsMember({"best", "mean", "two-best"}));
    app.add_flag("--cohort", cohort,
                 "Normalise scores by what faces have in common with the collection's others, from "
                 "100 identities on");
    app.add_flag("--no-cohort", no_cohort, "Take scores as they are")->excludes("--cohort");
  }
  template <typename Message>
  void CopyTo(Message& message) const {
    for (const auto& [name, value] : kFusions) {
      if (fusion == name) message.set_fusion(value);
    }
    message.set_cohort_normalisation(cohort);
  }
};

// "best", "mean, cohort".
std::string DescribeScores(const v1::Collection& collection) {
  std::string scores = "best";
  for (const auto& [name, value] : kFusions) {
    if (collection.fusion() == value) scores = name;
  }
  if (collection.cohort_normalisation()) scores += ", cohort";
  return scores;
}

constexpr std::pair<const char*, v1::SearchKind> kSearches[] = {
    {"exact", v1::SEARCH_KIND_EXACT}, {"hnsw", v1::SEARCH_KIND_HNSW}, {"ivf", v1::SEARCH_KIND_IVF}};

// Says how templates are searched, where it is given.
struct SearchOption {
  std::string search;

  void AddTo(CLI::App& app) {
    app.add_option("--search", search,
                   "How identify looks through the templates: exact finds whoever is nearest; hnsw "
                   "and ivf are faster among millions, and may miss somebody (exact unless set)")
        ->check(CLI::IsMember({"exact", "hnsw", "ivf"}));
  }
  template <typename Message>
  void CopyTo(Message& message) const {
    for (const auto& [name, value] : kSearches) {
      if (search == name) message.set_search(value);
    }
  }
};

// "exact", "hnsw: 250000 indexed, recall 99.3 %"; without the recall before it was measured, and
// "hnsw: exact so far" before there is anything.
std::string DescribeSearch(const v1::Collection& collection) {
  std::string text = "exact";
  for (const auto& [name, value] : kSearches) {
    if (collection.search() == value) text = name;
  }
  if (!collection.has_approximate()) return text;
  const v1::ApproximateSearch& approximate = collection.approximate();
  if (approximate.indexed_templates() == 0) return text + ": exact so far";
  text += fmt::format(": {} indexed", approximate.indexed_templates());
  if (approximate.has_recall()) {
    text += fmt::format(", recall {:.1f} %", 100 * approximate.recall());
  }
  return text;
}

// "match 0.01, duplicate 0.0001"; "-" without any.
std::string DescribeGuards(const v1::Collection& collection) {
  std::vector<std::string> guards;
  if (collection.has_identity_match_fmr()) {
    guards.push_back(fmt::format("match {:g}", collection.identity_match_fmr()));
  }
  if (collection.has_duplicate_fmr()) {
    guards.push_back(fmt::format("duplicate {:g}", collection.duplicate_fmr()));
  }
  return guards.empty() ? "-" : fmt::format("{}", fmt::join(guards, ", "));
}

void PrintCollections(Session& session, const std::vector<v1::Collection>& collections) {
  Table table({WrappedColumn("COLLECTION"),
               {"IDENTITIES", Table::Align::kRight},
               {"TEMPLATES", Table::Align::kRight},
               {"MIN COSINE", Table::Align::kRight},
               OptionalColumn("ENROL QUALITY"),
               OptionalColumn("PROBE QUALITY"),
               OptionalColumn("GUARDS"),
               OptionalColumn("SCORES"),
               OptionalColumn("SEARCH"),
               WrappedColumn("USABLE"),
               OptionalColumn("CREATED"),
               WrappedColumn("ETAG"),
               OptionalColumn("MODEL")});
  for (const v1::Collection& collection : collections) {
    table.AddRow({collection.id(), std::to_string(collection.identity_count()),
                  std::to_string(collection.template_count()),
                  collection.has_min_cosine() ? FormatCosine(collection.min_cosine()) : "-",
                  collection.has_enrol_quality() ? FormatQuality(collection.enrol_quality()) : "-",
                  collection.has_probe_quality() ? FormatQuality(collection.probe_quality()) : "-",
                  DescribeGuards(collection), DescribeScores(collection),
                  DescribeSearch(collection), collection.usable() ? "yes" : "no: other model",
                  FormatMinute(collection.create_time()),
                  collection.etag().empty() ? "-" : collection.etag(),
                  collection.model_digest().substr(0, 12)});
  }
  table.Print(session.out, session.terminal.columns);
}

class CollectionCreateCommand : public Command {
 public:
  explicit CollectionCreateCommand(CLI::App& create) : Command(create) {
    create.footer(
        "The server's own qualities hold where none is given; facegate info shows them.\n"
        "\n"
        "Examples:\n"
        "  facegate collection create staff --min-cosine 0.4\n"
        "  facegate collection create door --enrol-quality 0.6 --probe-quality 0.4\n"
        "  facegate collection create door --identity-match-fmr 0.01 --duplicate-fmr 0.0001\n"
        "  facegate collection create door --fusion mean --cohort\n"
        "  facegate collection create city --search hnsw");
    create.add_option("COLLECTION", collection_, "Its id")->required();
    AddMinCosine(create, min_cosine_, "Its operating point, for requests that have none");
    quality_.AddTo(create);
    guards_.AddTo(create);
    scores_.AddTo(create);
    search_.AddTo(create);
    AddRequestId(create, request_id_);
  }
  ExitCode Run(Session& session) override {
    v1::CreateCollectionRequest request;
    request.set_collection_id(collection_);
    if (min_cosine_.has_value()) request.set_min_cosine(*min_cosine_);
    quality_.CopyTo(request);
    guards_.CopyTo(request);
    scores_.CopyTo(request);
    search_.CopyTo(request);
    return Finish(session, collection_,
                  Write(session, &FacegateClient::CreateCollection, request, request_id_),
                  [&](const auto& answer) { PrintCollections(session, {answer.collection()}); });
  }

 private:
  std::string collection_;
  std::optional<float> min_cosine_;
  QualityOptions quality_;
  GuardOptions guards_;
  ScoreOptions scores_;
  SearchOption search_;
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
        "  facegate collection update staff --enrol-quality 0.6 --probe-quality 0.5\n"
        "  facegate collection update staff --search hnsw\n"
        "  facegate collection update staff --no-min-cosine    the model card's default decides\n"
        "  facegate collection update staff --no-probe-quality    the server's default holds");
    update.add_option("COLLECTION", collection_, "Its id")->required();
    AddMinCosine(update, min_cosine_, "Its new operating point, for requests that have none");
    update.add_flag("--no-min-cosine", no_min_cosine_, "Take its operating point away")
        ->excludes("--min-cosine");
    quality_.AddTo(update);
    update.add_flag("--no-enrol-quality", no_enrol_quality_, "The server's own for enrolments")
        ->excludes("--enrol-quality");
    update.add_flag("--no-probe-quality", no_probe_quality_, "The server's own for comparisons")
        ->excludes("--probe-quality");
    guards_.AddTo(update);
    update.add_flag("--no-identity-match", no_identity_match_, "New faces need not match others")
        ->excludes("--identity-match-fmr");
    update.add_flag("--no-duplicate", no_duplicate_, "New faces may match other identities")
        ->excludes("--duplicate-fmr");
    scores_.AddTo(update);
    search_.AddTo(update);
    update.add_option("--etag", etag_, "Only if the collection still has this etag");
    AddRequestId(update, request_id_);
  }
  ExitCode Run(Session& session) override {
    v1::UpdateCollectionRequest request;
    request.set_collection_id(collection_);
    const std::pair<const char*, bool> changes[] = {
        {"min_cosine", min_cosine_.has_value() || no_min_cosine_},
        {"enrol_quality", quality_.enrol.has_value() || no_enrol_quality_},
        {"probe_quality", quality_.probe.has_value() || no_probe_quality_},
        {"identity_match_fmr", guards_.identity_match.has_value() || no_identity_match_},
        {"duplicate_fmr", guards_.duplicate.has_value() || no_duplicate_},
        {"fusion", !scores_.fusion.empty()},
        {"cohort_normalisation", scores_.cohort || scores_.no_cohort},
        {"search", !search_.search.empty()}};
    for (const auto& [path, changed] : changes) {
      if (changed) request.mutable_update_mask()->add_paths(path);
    }
    if (request.update_mask().paths().empty()) {
      return Fail(session, collection_,
                  LocalError("there is nothing to change; expected --min-cosine COSINE, "
                             "--no-min-cosine, --enrol-quality QUALITY or another of them"));
    }
    if (min_cosine_.has_value()) request.mutable_collection()->set_min_cosine(*min_cosine_);
    quality_.CopyTo(*request.mutable_collection());
    guards_.CopyTo(*request.mutable_collection());
    scores_.CopyTo(*request.mutable_collection());
    search_.CopyTo(*request.mutable_collection());
    request.mutable_collection()->set_etag(etag_);
    return Finish(session, collection_,
                  Write(session, &FacegateClient::UpdateCollection, request, request_id_),
                  [&](const auto& answer) { PrintCollections(session, {answer.collection()}); });
  }

 private:
  std::string collection_;
  std::optional<float> min_cosine_;
  bool no_min_cosine_ = false;
  QualityOptions quality_;
  bool no_enrol_quality_ = false;
  bool no_probe_quality_ = false;
  GuardOptions guards_;
  bool no_identity_match_ = false;
  bool no_duplicate_ = false;
  ScoreOptions scores_;
  SearchOption search_;
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
      *family.add_subcommand("update", "Change the settings of a collection")));
  commands.push_back(std::make_unique<CollectionDeleteCommand>(
      *family.add_subcommand("delete", "Erase a collection")));
}

}  // namespace facegate::cli
