#include "trainer/run/validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "trainer/photos/ordered_work.h"
#include "trainer/run/network_input.h"

namespace facegate {
namespace {

constexpr size_t kBatch = 32;

struct Part {
  Batch batch{};
  std::vector<Status> bad{};  // photos
};

Part ReadPart(const Dataset& photos, size_t begin, const Preprocessing& preprocessing) {
  Part part;
  for (size_t i = begin; i < std::min(begin + kBatch, photos.size()); ++i) {
    const StatusOr<std::vector<float>> input = NetworkInputOf(photos, i, preprocessing);
    if (!input.ok()) {
      part.bad.push_back(input.status());
      continue;
    }
    part.batch.pixels.insert(part.batch.pixels.end(), input->begin(), input->end());
    part.batch.labels.push_back(photos.label(i));
    part.batch.photos.push_back(i);
  }
  return part;
}

}  // namespace

StatusOr<ValidationSums> ValidateOn(const Dataset& photos, const Preprocessing& preprocessing,
                                    Training& training, int threads,
                                    const std::function<void(const Status&)>& on_bad_photo) {
  ValidationSums all;
  const auto make = [&](size_t part) -> StatusOr<Part> {
    return ReadPart(photos, part * kBatch, preprocessing);
  };
  const auto take = [&](size_t /*number*/, const Part& part) -> Status {
    for (const Status& bad : part.bad) on_bad_photo(bad);
    if (part.batch.labels.empty()) return OkStatus();
    FACEGATE_ASSIGN_OR_RETURN(const ValidationSums sums, training.Validate(part.batch));
    all.photos += sums.photos;
    all.loss += sums.loss;
    for (size_t i = 0; i < all.among.size(); ++i) all.among[i] += sums.among[i];
    return OkStatus();
  };
  FACEGATE_RETURN_IF_ERROR(OrderedWork<Part>::Run((photos.size() + kBatch - 1) / kBatch, threads,
                                                  2 * static_cast<size_t>(threads), make, take));
  if (all.photos > 0) return all;
  return InvalidArgument(
      fmt::format("none of the {} photos that were kept from training can be used", photos.size()));
}

}  // namespace facegate
