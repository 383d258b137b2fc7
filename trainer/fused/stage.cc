#include "trainer/fused/stage.h"

#include "trainer/fused/simd_kernels.h"

namespace facegate {
namespace {

constexpr int64_t kMaxPictureChannels = 4;

}  // namespace

std::optional<StageKind> KindOf(const Stage& shape, int64_t groups, bool first) {
  if (shape.out % kChannelMultiple != 0) return std::nullopt;
  const bool dense = groups == 1;
  if (first && dense && shape.in <= kMaxPictureChannels) return StageKind::kPicture;
  if (shape.in % kChannelMultiple != 0) return std::nullopt;
  if (dense && shape.kernel == 1 && shape.stride == 1 && shape.padding == 0) {
    return StageKind::kPointwise;
  }
  if (groups == shape.in && shape.in == shape.out && shape.padding < shape.kernel &&
      shape.stride <= shape.kernel) {
    return StageKind::kDepthwise;
  }
  return std::nullopt;
}

std::optional<std::vector<Extent>> Extents(std::span<const Stage> stages, Extent input) {
  std::vector<Extent> extents = {input};
  extents.reserve(stages.size() + 1);
  for (const Stage& stage : stages) {
    const Extent last = extents.back();
    const Extent room{.height = last.height + 2 * stage.padding - stage.kernel,
                      .width = last.width + 2 * stage.padding - stage.kernel};
    if (room.height < 0 || room.width < 0) return std::nullopt;
    extents.push_back(
        {.height = room.height / stage.stride + 1, .width = room.width / stage.stride + 1});
    if (stage.added != Stage::kNothing &&
        extents[static_cast<size_t>(stage.added) + 1] != extents.back()) {
      return std::nullopt;
    }
  }
  return extents;
}

}  // namespace facegate
