#include "trainer/enlarge/super_resolution_file.h"

#include <fmt/format.h>

#include <utility>

#include "face/base/file.h"
#include "face/network/rcan_file.h"
#include "face/weights/safetensors.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxFileBytes = 1ULL << 30;
constexpr char kKind[] = "kind";
constexpr char kOwnKind[] = "facegate-super-resolution-1";
constexpr char kDigest[] = "digest";
constexpr char kLargestPixel[] = "largest_pixel";

const std::string* Find(const std::map<std::string, std::string>& facts, const char* name) {
  const auto found = facts.find(name);
  return found == facts.end() ? nullptr : &found->second;
}

StatusOr<SuperResolutionFile> Parse(const std::string& bytes) {
  if (!LooksLikeSafetensors(bytes)) {
    return InvalidArgument(
        "it is no .safetensors; facegate-train import --super-resolution makes one of a state "
        "dict");
  }
  FACEGATE_ASSIGN_OR_RETURN(Safetensors parsed, ParseSafetensors(bytes));
  const std::string* const kind = Find(parsed.metadata, kKind);
  if (kind == nullptr || *kind != kOwnKind) {
    return InvalidArgument(
        "it holds no super-resolution network (facegate-train import --super-resolution makes "
        "one)");
  }
  const std::string* const digest = Find(parsed.metadata, kDigest);
  if (digest == nullptr || *digest != ModelDigest(kOwnKind, parsed.tensors)) {
    return InvalidArgument("its tensors are not those that its digest is of: it was changed");
  }
  const std::string* const pixel = Find(parsed.metadata, kLargestPixel);
  if (pixel == nullptr || (*pixel != "1" && *pixel != "255")) {
    return InvalidArgument("it does not say whether pixels are of 0 to 1 or of 0 to 255");
  }
  FACEGATE_ASSIGN_OR_RETURN(FoundRcan found, TakeRcan(parsed.tensors));
  if (!found.left.empty()) {
    return InvalidArgument(fmt::format("its tensor {} is not the network's", found.left.front()));
  }
  return SuperResolutionFile{.shape = found.shape,
                             .tensors = std::move(found.tensors),
                             .largest_pixel = *pixel == "1" ? 1.0 : 255.0,
                             .facts = std::move(parsed.metadata)};
}

}  // namespace

StatusOr<SuperResolutionFile> ReadSuperResolutionFile(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxFileBytes));
  StatusOr<SuperResolutionFile> file = Parse(bytes);
  if (!file.ok()) return Annotate(file.status(), path);
  return file;
}

Status WriteSuperResolutionFile(const std::string& path, SuperResolutionFile file) {
  FACEGATE_RETURN_IF_ERROR(CheckTensors(file.tensors));
  const network::RcanShape& shape = file.shape;
  auto& facts = file.facts;
  facts[kKind] = kOwnKind;
  facts[kDigest] = ModelDigest(kOwnKind, file.tensors);
  facts[kLargestPixel] = fmt::format("{:g}", file.largest_pixel);
  facts["network"] = "rcan";
  facts["colour"] = "rgb";
  facts["scale"] = std::to_string(shape.scale);
  facts["groups"] = std::to_string(shape.groups);
  facts["blocks"] = std::to_string(shape.blocks);
  facts["features"] = std::to_string(shape.features);
  facts["reduction"] = std::to_string(shape.reduction);
  const Safetensors out{.tensors = std::move(file.tensors), .metadata = std::move(facts)};
  return WriteFileAtomically(path, SerializeSafetensors(out));
}

}  // namespace facegate
