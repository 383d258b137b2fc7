#include "index/local_gallery.h"

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "face/base/catch.h"
#include "face/base/log.h"
#include "face/base/mutex.h"
#include "index/collection.h"
#include "index/eraser.h"
#include "index/gallery_checks.h"
#include "index/gallery_loader.h"
#include "index/resource_id.h"

namespace facegate {
namespace {

// Ids and models are checked here, the rest is each collection's own. administration_ comes before
// the locks of a collection; collections_mutex_ is never held together with one.
class StoreBackedGallery final : public LocalGallery {
 public:
  StoreBackedGallery(std::unique_ptr<TemplateStore> store, Clock& clock,
                     std::chrono::milliseconds erase_delay)
      : store_(std::move(store)),
        parts_{.store = *store_, .clock = clock, .identity_locks = identity_locks_},
        eraser_(*store_, erase_delay) {}

  Status Load(size_t threads) {
    FACEGATE_ASSIGN_OR_RETURN(Collections loaded, LoadCollections(parts_, threads));
    const WriterLock lock(collections_mutex_);
    collections_ = std::move(loaded);
    return OkStatus();
  }

  StatusOr<CollectionInfo> CreateCollection(std::string_view collection, const ModelKey& model,
                                            int embedding_size,
                                            const CollectionSettings& settings) override {
    FACEGATE_RETURN_IF_ERROR(CheckNewCollection(collection, model, embedding_size, settings));
    const MutexLock order(administration_);
    {
      const ReaderLock lock(collections_mutex_);
      if (collections_.contains(collection)) {
        return Refuse(Reason::kCollectionExists, "there is a collection with this id");
      }
    }
    FACEGATE_ASSIGN_OR_RETURN(const uint64_t uid, store_->ReserveUids(1));
    const StoredCollection record{.uid = uid,
                                  .id = std::string(collection),
                                  .model = model,
                                  .embedding_size = embedding_size,
                                  .settings = settings,
                                  .create_time_us = parts_.clock.UnixMicros()};
    // Made ready before the write, so that nothing can fail after it.
    Collections created;
    created.emplace(record.id, std::make_shared<Collection>(record, parts_));
    StatusOr<CollectionInfo> info = created.begin()->second->Info();
    FACEGATE_RETURN_IF_ERROR(store_->PutCollection(record));
    const WriterLock lock(collections_mutex_);
    collections_.insert(created.extract(created.begin()));
    return info;
  }

  StatusOr<CollectionInfo> GetCollection(std::string_view collection) const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, Find(collection));
    return found->Info();
  }

  Page<CollectionInfo> ListCollections(std::string_view after, size_t limit) const override {
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

  Status DeleteCollection(std::string_view collection, bool force) override {
    const MutexLock order(administration_);
    FACEGATE_ASSIGN_OR_RETURN(const auto found, Find(collection));
    FACEGATE_RETURN_IF_ERROR(found->Delete(force));
    eraser_.Request();
    const WriterLock lock(collections_mutex_);
    collections_.erase(found->record().id);
    return OkStatus();
  }

  StatusOr<EnrolResult> Enrol(std::string_view collection, std::string_view identity,
                              const ModelKey& model, std::span<const NewTemplate> templates,
                              const EnrolOptions& options) override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindFor(collection, identity));
    FACEGATE_RETURN_IF_ERROR(CheckModel(found->record(), model));
    FACEGATE_RETURN_IF_ERROR(CheckTemplates(found->record(), templates));
    return found->Enrol(identity, templates, options);
  }

  StatusOr<IdentityInfo> GetIdentity(std::string_view collection,
                                     std::string_view identity) const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindFor(collection, identity));
    return found->GetIdentity(identity);
  }

  StatusOr<Page<IdentityInfo>> ListIdentities(std::string_view collection, std::string_view after,
                                              size_t limit) const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, Find(collection));
    return found->ListIdentities(after, limit);
  }

  StatusOr<uint64_t> DeleteIdentity(std::string_view collection,
                                    std::string_view identity) override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindFor(collection, identity));
    auto deleted = found->DeleteIdentity(identity);
    if (deleted.ok()) eraser_.Request();
    return deleted;
  }

  StatusOr<std::vector<TemplateInfo>> ListTemplates(std::string_view collection,
                                                    std::string_view identity, uint64_t after,
                                                    size_t limit) const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindFor(collection, identity));
    return found->ListTemplates(identity, after, limit);
  }

  StatusOr<Embedding> GetEmbedding(std::string_view collection, std::string_view identity,
                                   uint64_t template_id) const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindFor(collection, identity));
    return found->GetEmbedding(identity, template_id);
  }

  Status DeleteTemplate(std::string_view collection, std::string_view identity,
                        uint64_t template_id) override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindFor(collection, identity));
    FACEGATE_RETURN_IF_ERROR(found->DeleteTemplate(identity, template_id));
    eraser_.Request();
    return OkStatus();
  }

  StatusOr<std::vector<Candidate>> Search(std::string_view collection, const ModelKey& model,
                                          const Embedding& query, size_t k) const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, Find(collection));
    FACEGATE_RETURN_IF_ERROR(CheckModel(found->record(), model));
    FACEGATE_RETURN_IF_ERROR(CheckSize(found->record(), query));
    return found->Search(query, k);
  }

  StatusOr<Candidate> Score(std::string_view collection, std::string_view identity,
                            const ModelKey& model, const Embedding& query) const override {
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindFor(collection, identity));
    FACEGATE_RETURN_IF_ERROR(CheckModel(found->record(), model));
    FACEGATE_RETURN_IF_ERROR(CheckSize(found->record(), query));
    return found->Score(identity, query);
  }

  GalleryStats stats() const override {
    GalleryStats stats;
    for (const auto& collection : ListCollections({}, SIZE_MAX).items) {
      stats.collections += 1;
      stats.identities += collection.identity_count;
      stats.templates += collection.template_count;
    }
    return stats;
  }

  Status Compact() override { return store_->Compact(); }

 private:
  StatusOr<std::shared_ptr<Collection>> Find(std::string_view collection) const {
    FACEGATE_RETURN_IF_ERROR(CheckResourceId(collection, "collection_id"));
    const ReaderLock lock(collections_mutex_);
    const auto found = collections_.find(collection);
    if (found == collections_.end()) {
      return Refuse(Reason::kCollectionNotFound, "there is no such collection");
    }
    return found->second;
  }

  // Of a call that names an identity, too, which is checked first.
  StatusOr<std::shared_ptr<Collection>> FindFor(std::string_view collection,
                                                std::string_view identity) const {
    FACEGATE_RETURN_IF_ERROR(CheckResourceId(collection, "collection_id"));
    FACEGATE_RETURN_IF_ERROR(CheckResourceId(identity, "identity_id"));
    return Find(collection);
  }

  const std::unique_ptr<TemplateStore> store_;
  IdentityLocks identity_locks_;
  const GalleryParts parts_;

  // Orders the creations and deletions of collections, over their writes to the store.
  Mutex administration_;

  mutable SharedMutex collections_mutex_;
  Collections collections_ FACEGATE_GUARDED_BY(collections_mutex_);

  Eraser eraser_;
};

}  // namespace

StatusOr<std::unique_ptr<LocalGallery>> OpenLocalGallery(const LocalGalleryOptions& options,
                                                         Clock& clock) {
  FACEGATE_ASSIGN_OR_RETURN(auto store, OpenTemplateStore({.directory = options.directory}));
  return OpenLocalGallery(std::move(store), options.load_threads, clock, options.erase_delay);
}

StatusOr<std::unique_ptr<LocalGallery>> OpenLocalGallery(std::unique_ptr<TemplateStore> store,
                                                         size_t load_threads, Clock& clock,
                                                         std::chrono::milliseconds erase_delay) {
  const Clock::TimePoint begin = clock.Now();
  auto gallery = std::make_unique<StoreBackedGallery>(std::move(store), clock, erase_delay);
  FACEGATE_RETURN_IF_ERROR(
      CatchToStatus("loading the gallery", [&] { return gallery->Load(load_threads); }));
  const GalleryStats stats = gallery->stats();
  const std::chrono::duration<double> seconds = clock.Now() - begin;
  LogInfo("gallery: loaded {} collections, {} identities and {} templates in {:.2f} s",
          stats.collections, stats.identities, stats.templates, seconds.count());
  return gallery;
}

}  // namespace facegate
