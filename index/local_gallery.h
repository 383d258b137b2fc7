#pragma once

#include <memory>
#include <string>

#include "face/base/clock.h"
#include "face/base/status.h"
#include "index/gallery.h"

namespace facegate {

struct LocalGalleryOptions {
  std::string directory;  // of the RocksDB store; made where absent
};

// The gallery of one process: RocksDB is the truth (index/template_store.h), a FAISS flat index for
// each collection is a cache of it, rebuilt when the gallery is opened. `clock` must outlive it.
// Fails with kStoreCorrupt, naming what is damaged, rather than serve without it;
// kFailedPrecondition when another process has the directory open.
StatusOr<std::unique_ptr<Gallery>> OpenLocalGallery(const LocalGalleryOptions& options,
                                                    Clock& clock);

}  // namespace facegate
