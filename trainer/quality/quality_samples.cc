#include "trainer/quality/quality_samples.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "face/network/grey_networks.h"
#include "face/weights/safetensors.h"
#include "trainer/landmarks/sample_split.h"

namespace facegate {
namespace {

constexpr char kSource[] = "source";
constexpr char kPeople[] = "people";
constexpr char kTargets[] = "targets";
constexpr char kPixels[] = "pixels";
constexpr size_t kNumbers = 5;  // of a target
constexpr size_t kViewBytes = size_t{kQualityCropSide} * kQualityCropSide;

StatusOr<const Tensor*> TensorOf(const Safetensors& file, const char* name, DType dtype,
                                 size_t each) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end() || found->second.dtype != dtype ||
      found->second.bytes.size() % each != 0) {
    return InvalidArgument(fmt::format("the samples' tensor {} is missing or damaged", name));
  }
  return &found->second;
}

StatusOr<QualityTarget> TargetOf(const float* numbers, size_t people) {
  const bool fits = numbers[0] >= 0 && numbers[0] < static_cast<float>(people) && numbers[1] >= 0 &&
                    numbers[1] < static_cast<float>(kViewFlaws) && std::isfinite(numbers[2]);
  if (!fits) return InvalidArgument("the samples' targets are damaged");
  return QualityTarget{.person = static_cast<uint32_t>(numbers[0]),
                       .flaw = static_cast<ViewFlaw>(static_cast<uint8_t>(numbers[1])),
                       .score = numbers[2],
                       .eyes_visible = numbers[3],
                       .mouth_visible = numbers[4]};
}

}  // namespace

cv::Mat QualitySamples::View(size_t i) const {
  // OpenCV has no matrix of constant pixels; nobody writes to this one.
  auto* const first = const_cast<char*>(pixels.data() + kViewBytes * i);
  return {kQualityCropSide, kQualityCropSide, CV_8UC1, first};
}

std::string SerializeQualitySamples(const QualitySamples& samples, const std::string& source) {
  std::vector<float> numbers;
  numbers.reserve(kNumbers * samples.targets.size());
  for (const QualityTarget& target : samples.targets) {
    numbers.insert(numbers.end(),
                   {static_cast<float>(target.person), static_cast<float>(target.flaw),
                    target.score, target.eyes_visible, target.mouth_visible});
  }
  Safetensors file;
  file.metadata[kSource] = source;
  std::string& people = file.metadata[kPeople];
  for (const std::string& person : samples.people) people += person + "\n";
  Tensor& targets = file.tensors[kTargets];
  targets.dtype = DType::kF32;
  targets.shape = {static_cast<int64_t>(samples.targets.size()), static_cast<int64_t>(kNumbers)};
  targets.bytes.resize(numbers.size() * sizeof(float));
  std::memcpy(targets.bytes.data(), numbers.data(), targets.bytes.size());
  file.tensors[kPixels] = {.dtype = DType::kU8,
                           .shape = {static_cast<int64_t>(samples.pixels.size())},
                           .bytes = samples.pixels};
  return SerializeSafetensors(file);
}

StatusOr<QualitySamples> ParseQualitySamples(std::string_view bytes, const std::string& source) {
  FACEGATE_ASSIGN_OR_RETURN(Safetensors file, ParseSafetensors(bytes));
  const auto made_from = file.metadata.find(kSource);
  const auto people = file.metadata.find(kPeople);
  if (made_from == file.metadata.end() || people == file.metadata.end()) {
    return InvalidArgument("it holds no samples of quality");
  }
  if (made_from->second != source) {
    return FailedPrecondition("its samples were made from other photos, models or options");
  }
  QualitySamples samples;
  const std::string& text = people->second;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    if (end == std::string::npos) return InvalidArgument("the samples' names are damaged");
    samples.people.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  constexpr size_t kTargetBytes = kNumbers * sizeof(float);
  FACEGATE_ASSIGN_OR_RETURN(const Tensor* const targets,
                            TensorOf(file, kTargets, DType::kF32, kTargetBytes));
  FACEGATE_ASSIGN_OR_RETURN(const Tensor* const pixels,
                            TensorOf(file, kPixels, DType::kU8, kViewBytes));
  const size_t count = targets->bytes.size() / kTargetBytes;
  if (pixels->bytes.size() != count * kViewBytes) {
    return InvalidArgument("the samples' tensors are not equally long");
  }
  std::vector<float> numbers(count * kNumbers);
  std::memcpy(numbers.data(), targets->bytes.data(), targets->bytes.size());
  for (size_t i = 0; i < count; ++i) {
    FACEGATE_ASSIGN_OR_RETURN(QualityTarget target,
                              TargetOf(numbers.data() + kNumbers * i, samples.people.size()));
    samples.targets.push_back(target);
  }
  samples.pixels = std::move(file.tensors[kPixels].bytes);
  return samples;
}

StatusOr<QualitySplit> SplitQualitySamples(const QualitySamples& samples, double share,
                                           uint64_t seed) {
  std::vector<bool> held_out;
  held_out.reserve(samples.people.size());
  QualitySplit split;
  for (const std::string& person : samples.people) {
    held_out.push_back(IsHeldOut(person + "/", share, seed));
    ++(held_out.back() ? split.held_out_people : split.people);
  }
  for (size_t i = 0; i < samples.targets.size(); ++i) {
    (held_out[samples.targets[i].person] ? split.held_out : split.learned).push_back(i);
  }
  if (split.learned.empty() || split.held_out.empty()) {
    return InvalidArgument(fmt::format(
        "{} people are too few to learn from some and to hold others out", samples.people.size()));
  }
  return split;
}

}  // namespace facegate
