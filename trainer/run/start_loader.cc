#include "trainer/run/start_loader.h"

#include <algorithm>

namespace facegate {

StatusOr<std::unique_ptr<Loader>> StartLoader(const RunFacts& facts, int64_t first_step,
                                              const ProcessGroup* group, BadPhotos& bad_photos) {
  const ResolvedRecipe& recipe = facts.recipe;
  LoaderOptions options;
  options.sampler = {.batch = static_cast<size_t>(recipe.batch),
                     .seed = recipe.training.seed,
                     .balanced = recipe.balanced};
  options.augment = recipe.augment;
  options.blend = recipe.blend;
  options.degrade = recipe.degrade;
  options.preprocessing = facts.recipe.preprocessing;
  options.threads = static_cast<int>(recipe.loader_threads);
  options.first_step = static_cast<size_t>(first_step);
  if (group != nullptr) {
    const auto processes = static_cast<size_t>(group->size());
    const size_t own = options.sampler.batch / processes;
    options.first_place = own * static_cast<size_t>(group->rank());
    options.places = own;
    options.threads = std::max(1, options.threads / group->size());
  }
  return Loader::Start(*facts.data.training, options,
                       [&bad_photos](const Status& status) { bad_photos.Add(status); });
}

}  // namespace facegate
