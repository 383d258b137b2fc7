#pragma once

#include <functional>
#include <memory>

#include "face/embed/embedder.h"

namespace facegate {

using EmbedderSource = std::function<StatusOr<std::unique_ptr<Embedder>>()>;

// Takes what `on_card` makes. Where that fails because of the card (it is full, or another process
// has it for itself) and `or_cpu` is true, says so in the log and takes what `on_cpu` makes.
StatusOr<std::unique_ptr<Embedder>> MakeOnCardOrCpu(bool or_cpu, const EmbedderSource& on_card,
                                                    const EmbedderSource& on_cpu);

}  // namespace facegate
