#pragma once

#include "index/gallery.h"
#include "index/journal.h"
#include "index/upkeep.h"

namespace facegate {

// All that an implementation of the gallery is.
class GalleryBackend : public Gallery, public Journal, public Upkeep {};

}  // namespace facegate
