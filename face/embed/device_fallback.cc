#include "face/embed/device_fallback.h"

#include "face/base/log.h"

namespace facegate {

StatusOr<std::unique_ptr<Embedder>> MakeOnCardOrCpu(bool or_cpu, const EmbedderSource& on_card,
                                                    const EmbedderSource& on_cpu) {
  auto embedder = on_card();
  const bool of_the_card = embedder.status().code() == StatusCode::kResourceExhausted ||
                           embedder.status().code() == StatusCode::kUnavailable;
  if (!or_cpu || !of_the_card) return embedder;
  LogWarning("computing on the CPU: {}", MessageOf(embedder.status()));
  return on_cpu();
}

}  // namespace facegate
