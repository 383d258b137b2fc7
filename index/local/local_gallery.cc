#include "index/local/local_gallery.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "face/base/catch.h"
#include "face/base/check.h"
#include "face/base/log.h"
#include "face/base/mutex.h"
#include "index/local/collection.h"
#include "index/local/gallery_checks.h"
#include "index/local/gallery_loader.h"
#include "index/local/request_ledger.h"
#include "index/local/row_mover.h"
#include "index/local/search_parts.h"
#include "index/local/store_writer.h"
#include "index/local/upkeep_thread.h"
#include "index/resource_id.h"
#include "index/store/corrupt.h"
#include "index/store/eraser.h"

namespace facegate {
namespace {

// Ids and models are checked here, the rest is each collection's own. administration_ comes before
// the locks of a collection; collections_mutex_ is never held together with one.
class StoreBackedGallery final : public GalleryBackend {
 public:
  StoreBackedGallery(std::unique_ptr<TemplateStore> store, const LocalGalleryOptions& options,
                     SearchParts search, Clock& clock)
      : store_(std::move(store)),
        ledger_(*store_, clock),
        writer_(*store_, ledger_),
        parts_{.store = *store_,
               .ledger = ledger_,
               .writer = writer_,
               .clock = clock,
               .identity_locks = identity_locks_,
               .search = std::move(search)},
        row_mover_(clock),
        eraser_(*store_, options.erase_delay) {}

  ~StoreBackedGallery() override {
    if (!upkeep_.has_value()) return;
    upkeep_.reset();
    EraseAnswers([this] { return writer_.EraseAnswers(1); });
  }

  Status Load(size_t threads, std::chrono::milliseconds upkeep_interval) {
    FACEGATE_ASSIGN_OR_RETURN(Collections loaded, LoadCollections(parts_, threads));
    for (const auto& [id, collection] : loaded) collection->BeginSearches();
    {
      const WriterLock lock(collections_mutex_);
      collections_ = std::move(loaded);
    }
    // A process may have been killed before it had erased what it deleted.
    if (store_->erase_pending()) eraser_.Request();
    // Not before all is loaded: what is not known yet would seem to be gone.
    upkeep_.emplace(upkeep_interval, [this] { DoUpkeep(); });
    return OkStatus();
  }

  StatusOr<RequestTicket> BeginRequest(const RequestId& id, std::string_view fingerprint) override {
    FACEGATE_CHECK(fingerprint.size() == kFingerprintBytes);
    return ledger_.Begin(id, fingerprint);
  }

  StatusOr<CollectionInfo> CreateCollection(std::string_view collection, const ModelKey& model,
                                            int embedding_size, const CollectionSettings& settings,
                                            const Receipt<CollectionInfo>& receipt,
                                            const StopCheck& stop) override {
    FACEGATE_RETURN_IF_ERROR(CheckNewCollection(collection, model, embedding_size, settings));
    const MutexLock order(administration_);
    {
      const ReaderLock lock(collections_mutex_);
      if (collections_.contains(collection)) {
        return Refuse(Reason::kCollectionExists, "there is a collection with this id");
      }
    }
    FACEGATE_ASSIGN_OR_RETURN(const uint64_t uid, store_->ReserveUids(1));
    const int64_t now = parts_.clock.UnixMicros();
    const StoredCollection record{.uid = uid,
                                  .id = std::string(collection),
                                  .model = model,
                                  .embedding_size = embedding_size,
                                  .settings = settings,
                                  .create_time_us = now,
                                  .update_time_us = now,
                                  .revision = 0};
    // Made ready before the write, so that nothing can fail after it.
    Collections created;
    created.emplace(record.id, std::make_shared<Collection>(record, parts_));
    created.begin()->second->BeginSearches();
    FACEGATE_ASSIGN_OR_RETURN(CollectionInfo info, created.begin()->second->Info());
    StoreChange change;
    change.collections.push_back(record);
    FACEGATE_RETURN_IF_ERROR(
        ledger_.Keep(receipt, info, {.collection = uid, .identity = 0}, change));
    FACEGATE_RETURN_IF_ERROR(writer_.Write(change, stop));
    const WriterLock lock(collections_mutex_);
    collections_.insert(created.extract(created.begin()));
    return info;
  }

  StatusOr<CollectionInfo> GetCollection(std::string_view collection,
                                         const StopCheck& stop) const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, Find(collection, stop));
    return found->Info();
  }

  StatusOr<Page<CollectionInfo>> ListCollections(std::string_view after, size_t limit,
                                                 const StopCheck& stop) const override {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    std::vector<std::shared_ptr<Collection>> listed;
    Page<CollectionInfo> page;
    {
      const ReaderLock lock(collections_mutex_);
      auto next = collections_.upper_bound(after);
      for (; next != collections_.end() && listed.size() < limit; ++next) {
        listed.push_back(next->second);
      }
      if (next != collections_.end() && !listed.empty()) {
        page.next_after = listed.back()->record().id;
      }
    }
    for (const auto& collection : listed) {
      // One that is deleted this very moment is left out.
      if (auto info = collection->Info(); info.ok()) page.items.push_back(*std::move(info));
    }
    return page;
  }

  StatusOr<CollectionInfo> UpdateCollection(std::string_view collection,
                                            const CollectionChange& change, std::string_view etag,
                                            const Receipt<CollectionInfo>& receipt,
                                            const StopCheck& stop) override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, Find(collection, stop));
    FACEGATE_RETURN_IF_ERROR(CheckChange(change));
    return found->Update(change, etag, receipt, stop);
  }

  Status DeleteCollection(std::string_view collection, bool force, const Receipt<Deleted>& receipt,
                          const StopCheck& stop) override {
    std::shared_ptr<Collection> found;  // to wipe it takes long, and is not for the lock
    const MutexLock order(administration_);
    FACEGATE_ASSIGN_OR_RETURN(found, Find(collection, stop));
    FACEGATE_RETURN_IF_ERROR(found->Delete(force, receipt, stop));
    eraser_.Request();
    const WriterLock lock(collections_mutex_);
    collections_.erase(found->record().id);
    return OkStatus();
  }

  StatusOr<EnrolResult> Enrol(std::string_view collection, std::string_view identity,
                              const ModelKey& model, std::span<const NewTemplate> templates,
                              const EnrolOptions& options, const Receipt<EnrolResult>& receipt,
                              const StopCheck& stop) override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindFor(collection, identity, stop));
    FACEGATE_RETURN_IF_ERROR(CheckModel(found->record(), model));
    FACEGATE_RETURN_IF_ERROR(CheckTemplates(found->record(), templates));
    return found->Enrol(identity, templates, options, receipt, stop);
  }

  StatusOr<IdentityInfo> GetIdentity(std::string_view collection, std::string_view identity,
                                     const StopCheck& stop) const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindFor(collection, identity, stop));
    return found->GetIdentity(identity);
  }

  StatusOr<Page<IdentityInfo>> ListIdentities(std::string_view collection, std::string_view after,
                                              size_t limit, const StopCheck& stop) const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, Find(collection, stop));
    return found->ListIdentities(after, limit);
  }

  StatusOr<IdentityInfo> UpdateLabels(std::string_view collection, std::string_view identity,
                                      const LabelChange& change, std::string_view etag,
                                      const Receipt<IdentityInfo>& receipt,
                                      const StopCheck& stop) override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindFor(collection, identity, stop));
    return Erasing(found->UpdateLabels(identity, change, etag, receipt, stop));
  }

  StatusOr<IdentityInfo> RenameIdentity(std::string_view collection, std::string_view identity,
                                        std::string_view new_id, std::string_view etag,
                                        const Receipt<IdentityInfo>& receipt,
                                        const StopCheck& stop) override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindFor(collection, identity, stop));
    FACEGATE_RETURN_IF_ERROR(CheckResourceId(new_id, "new_identity_id"));
    return Erasing(found->RenameIdentity(identity, new_id, etag, receipt, stop));
  }

  StatusOr<MergeResult> MergeIdentities(std::string_view collection, const MergedIdentity& source,
                                        const MergedIdentity& target,
                                        const Receipt<MergeResult>& receipt,
                                        const StopCheck& stop) override {
    FACEGATE_RETURN_IF_ERROR(CheckResourceId(collection, "collection_id"));
    FACEGATE_RETURN_IF_ERROR(CheckResourceId(target.id, "target_identity_id"));
    FACEGATE_RETURN_IF_ERROR(CheckResourceId(source.id, "source_identity_id"));
    if (source.id == target.id) {
      return RefuseField("source_identity_id", "is the target itself");
    }
    FACEGATE_ASSIGN_OR_RETURN(const auto found, Find(collection, stop));
    return Erasing(found->MergeIdentities(source, target, receipt, stop));
  }

  StatusOr<uint64_t> DeleteIdentity(std::string_view collection, std::string_view identity,
                                    std::string_view etag, const Receipt<uint64_t>& receipt,
                                    const StopCheck& stop) override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindFor(collection, identity, stop));
    return Erasing(found->DeleteIdentity(identity, etag, receipt, stop));
  }

  StatusOr<std::vector<TemplateInfo>> ListTemplates(std::string_view collection,
                                                    std::string_view identity, uint64_t after,
                                                    size_t limit,
                                                    const StopCheck& stop) const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindFor(collection, identity, stop));
    return found->ListTemplates(identity, after, limit);
  }

  StatusOr<Embedding> GetEmbedding(std::string_view collection, std::string_view identity,
                                   uint64_t template_id, const StopCheck& stop) const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindFor(collection, identity, stop));
    return found->GetEmbedding(identity, template_id);
  }

  Status DeleteTemplate(std::string_view collection, std::string_view identity,
                        uint64_t template_id, const Receipt<Deleted>& receipt,
                        const StopCheck& stop) override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindFor(collection, identity, stop));
    FACEGATE_RETURN_IF_ERROR(found->DeleteTemplate(identity, template_id, receipt, stop));
    eraser_.Request();
    return OkStatus();
  }

  using Gallery::Search;
  StatusOr<std::vector<std::vector<Candidate>>> Search(std::string_view collection,
                                                       const ModelKey& model,
                                                       std::span<const Embedding> queries,
                                                       const SearchOptions& options,
                                                       const StopCheck& stop) const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, Find(collection, stop));
    FACEGATE_RETURN_IF_ERROR(CheckModel(found->record(), model));
    for (const Embedding& query : queries) {
      FACEGATE_RETURN_IF_ERROR(CheckSize(found->record(), query));
    }
    FACEGATE_RETURN_IF_ERROR(CheckLabels(options.labels));
    return found->Search(queries, options, stop);
  }

  StatusOr<Candidate> Score(std::string_view collection, std::string_view identity,
                            const ModelKey& model, const Embedding& query,
                            const StopCheck& stop) const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindFor(collection, identity, stop));
    FACEGATE_RETURN_IF_ERROR(CheckModel(found->record(), model));
    FACEGATE_RETURN_IF_ERROR(CheckSize(found->record(), query));
    return found->Score(identity, query, stop);
  }

  Status CompareIdentities(std::string_view collection, const SelfComparison& comparison,
                           ScoreSink& sink, const StopCheck& stop) const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, Find(collection, stop));
    return found->CompareIdentities(comparison, sink, stop);
  }

  StatusOr<GalleryStats> Stats(const StopCheck& stop) const override {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    GalleryStats stats;
    for (const auto& collection : All()) collection->CountInto(stats);
    parts_.search.CountInto(stats);
    return stats;
  }

  Status WriteHealth() const override { return store_->WriteHealth(); }

  Status Compact() override {
    FACEGATE_RETURN_IF_ERROR(writer_.EraseAnswers());
    return store_->Compact();
  }

 private:
  void DoUpkeep() {
    store_->TryToRecover();
    if (store_->WriteHealth().ok()) EraseAnswers([this] { return writer_.DoUpkeep(); });
    row_mover_.Move(All());
  }

  std::vector<std::shared_ptr<Collection>> All() const {
    std::vector<std::shared_ptr<Collection>> all;
    const ReaderLock lock(collections_mutex_);
    all.reserve(collections_.size());
    for (const auto& [id, collection] : collections_) all.push_back(collection);
    return all;
  }

  // The store knows best whether something must leave the files: it may be so after an error, too,
  // here or in a call before.
  template <typename Erase>
  void EraseAnswers(const Erase& erase) {
    const Status erased = CatchToStatus("forgetting requests", [&] { return erase(); });
    if (!erased.ok()) LogWarning("requests could not be forgotten yet: {}", MessageOf(erased));
    if (store_->erase_pending()) eraser_.Request();
  }

  // Passes on the result of a change that leaves something to be erased.
  template <typename Result>
  StatusOr<Result> Erasing(StatusOr<Result> result) {
    if (result.ok()) eraser_.Request();
    return result;
  }

  StatusOr<std::shared_ptr<Collection>> Find(std::string_view collection,
                                             const StopCheck& stop) const {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    FACEGATE_RETURN_IF_ERROR(CheckResourceId(collection, "collection_id"));
    const ReaderLock lock(collections_mutex_);
    const auto found = collections_.find(collection);
    if (found == collections_.end()) {
      return Refuse(Reason::kCollectionNotFound, "there is no such collection");
    }
    return found->second;
  }

  // Checks the id of the identity that a call names, too, before the collection is looked for.
  StatusOr<std::shared_ptr<Collection>> FindFor(std::string_view collection,
                                                std::string_view identity,
                                                const StopCheck& stop) const {
    FACEGATE_RETURN_IF_ERROR(CheckResourceId(collection, "collection_id"));
    FACEGATE_RETURN_IF_ERROR(CheckResourceId(identity, "identity_id"));
    return Find(collection, stop);
  }

  const std::unique_ptr<TemplateStore> store_;
  IdentityLocks identity_locks_;
  RequestLedger ledger_;
  StoreWriter writer_;
  const GalleryParts parts_;

  // Orders the creations and deletions of collections, over their writes to the store.
  Mutex administration_;

  mutable SharedMutex collections_mutex_;
  Collections collections_ FACEGATE_GUARDED_BY(collections_mutex_);

  RowMover row_mover_;
  Eraser eraser_;
  std::optional<UpkeepThread> upkeep_;  // while the gallery is loaded
};

// Adds what whoever starts the program can do about a damaged store.
Status WithAdvice(const Status& status, const std::string& directory) {
  if (ReasonOf(status) != Reason::kStoreCorrupt) return status;
  return Corrupt(
      fmt::format("{}; restore the directory {} from a backup, or move it away to begin "
                  "with an empty gallery",
                  MessageOf(status), directory));
}

}  // namespace

StatusOr<std::unique_ptr<GalleryBackend>> OpenLocalGallery(const LocalGalleryOptions& options,
                                                           Clock& clock) {
  auto store = OpenTemplateStore(
      {.directory = options.directory, .on_write_health = options.on_write_health});
  if (!store.ok()) return WithAdvice(store.status(), options.directory);
  auto gallery = OpenLocalGallery(*std::move(store), options, clock);
  if (!gallery.ok()) return WithAdvice(gallery.status(), options.directory);
  return gallery;
}

StatusOr<std::unique_ptr<GalleryBackend>> OpenLocalGallery(std::unique_ptr<TemplateStore> store,
                                                           const LocalGalleryOptions& options,
                                                           Clock& clock) {
  const Clock::TimePoint begin = clock.Now();
  FACEGATE_ASSIGN_OR_RETURN(SearchParts search, OpenSearchParts(options.search_threads,
                                                                options.card, options.approximate));
  auto gallery =
      std::make_unique<StoreBackedGallery>(std::move(store), options, std::move(search), clock);
  const size_t threads = ThreadsFor(options.load_threads);
  FACEGATE_RETURN_IF_ERROR(CatchToStatus(
      "loading the gallery", [&] { return gallery->Load(threads, options.upkeep_interval); }));
  FACEGATE_ASSIGN_OR_RETURN(const GalleryStats stats, gallery->Stats({}));
  const std::chrono::duration<double> seconds = clock.Now() - begin;
  LogInfo("gallery: loaded {} collections, {} identities and {} templates in {:.2f} s",
          stats.collections, stats.identities, stats.templates, seconds.count());
  return gallery;
}

}  // namespace facegate
