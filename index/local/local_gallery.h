#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "face/base/clock.h"
#include "face/base/status.h"
#include "index/gallery_backend.h"
#include "index/local/open_card.h"
#include "index/rows/approximate/approximate_finder.h"
#include "index/store/template_store.h"

namespace facegate {

struct LocalGalleryOptions {
  std::string directory;    // of the RocksDB store; made where absent
  size_t load_threads = 0;  // that rebuild the index at opening; 0: one for each core
  // Of one search, where there is much to read; 0: one for each core.
  size_t search_threads = 0;
  CardChoice card{};                 // where searches run
  ApproximateOptions approximate{};  // of the collections whose search is approximate
  // The time from a deletion until the store is compacted and the bytes leave its files
  // (index/store/eraser.h).
  std::chrono::milliseconds erase_delay = std::chrono::minutes(10);
  // At this interval requests that are old enough are forgotten, and a store that takes no more
  // changes is tried again.
  std::chrono::milliseconds upkeep_interval = std::chrono::seconds(5);
  // Called once for each change of WriteHealth(), from any thread, until the gallery is destroyed;
  // must not block.
  std::function<void(const Status&)> on_write_health = {};
};

// The gallery of one process: RocksDB is the truth (index/store/template_store.h), an exact index
// of each collection (index/rows) is a cache of it, rebuilt when the gallery is opened.
// Thread-safe.
//
// Changes of one identity happen one after the other, changes of different identities together, so
// that they share the store's sync. A search goes on during a write to the store and sees the
// change when the call that makes it is about to return.
//
// When the disk fails under a write, memory stays as before and the call fails; see TemplateStore
// for what the next opening may find then.
//
// `clock` must outlive the gallery. Fails with kStoreCorrupt, naming what is damaged, rather than
// serve without it; kFailedPrecondition when another process has the directory open, and when
// the card that is chosen cannot be used.
StatusOr<std::unique_ptr<GalleryBackend>> OpenLocalGallery(const LocalGalleryOptions& options,
                                                           Clock& clock);

// The same over a store that is open already; of `options` the directory and on_write_health are
// the store's.
StatusOr<std::unique_ptr<GalleryBackend>> OpenLocalGallery(std::unique_ptr<TemplateStore> store,
                                                           const LocalGalleryOptions& options,
                                                           Clock& clock);

}  // namespace facegate
