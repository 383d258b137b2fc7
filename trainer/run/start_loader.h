#pragma once

#include <cstdint>
#include <memory>

#include "face/base/status.h"
#include "trainer/parallel/process_group.h"
#include "trainer/photos/loader.h"
#include "trainer/run/bad_photos.h"
#include "trainer/run/run_facts.h"

namespace facegate {

// Makes the batches of a run ahead, from batch `first_step` on; of several processes, the part of
// this one. `facts` and `bad_photos` outlive the loader; `group` null: one process.
StatusOr<std::unique_ptr<Loader>> StartLoader(const RunFacts& facts, int64_t first_step,
                                              const ProcessGroup* group, BadPhotos& bad_photos);

}  // namespace facegate
