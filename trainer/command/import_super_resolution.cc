#include "trainer/command/import_super_resolution.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "face/base/counted.h"
#include "face/base/file.h"
#include "face/base/sha256.h"
#include "face/network/rcan_file.h"
#include "face/network/tensor_list.h"
#include "face/weights/model_file.h"
#include "face/weights/safetensors.h"
#include "trainer/command/card_print.h"
#include "trainer/enlarge/super_resolution.h"

namespace facegate {
namespace {

constexpr std::array<std::string_view, 8> kTaken = {
    "SOURCE",          "--output",  "--super-resolution", "--force",
    "--training-data", "--licence", "--origin",           "--help"};
constexpr int kProofSide = 16;  // pixels of the picture that is enlarged

StatusOr<FoundRcan> FindIn(std::string_view bytes) {
  if (!LooksLikeSafetensors(bytes)) return ParseRcan(bytes);
  FACEGATE_ASSIGN_OR_RETURN(Safetensors file, ParseSafetensors(bytes));
  return TakeRcan(file.tensors);
}

std::map<std::string, std::string> FactsOf(const CardOptions& said, std::string_view bytes) {
  std::map<std::string, std::string> facts;
  facts["origin"] = said.origin.value_or(fmt::format("source file sha256 {}", Sha256Hex(bytes)));
  if (said.training_data) facts["training_data"] = *said.training_data;
  if (said.licence) facts["licence"] = *said.licence;
  return facts;
}

// The file is one that eval takes.
Status Prove(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const auto network, SuperResolution::Open(path, 0));
  const cv::Mat grey(kProofSide, kProofSide, CV_8UC3, cv::Scalar::all(128));
  return network->Enlarge(grey).status();
}

}  // namespace

Status CheckSuperResolutionOptions(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    const bool taken = std::any_of(kTaken.begin(), kTaken.end(), [&](std::string_view one) {
      return option->check_name(std::string(one));
    });
    if (taken || option->count() == 0) continue;
    return RefuseField(option->get_name(),
                       "does not go with --super-resolution, whose networks know no faces");
  }
  return OkStatus();
}

Status ImportSuperResolution(const ImportOptions& options, std::ostream& out) {
  std::error_code error;
  if (!options.force && std::filesystem::exists(options.out, error)) {
    return FailedPrecondition(fmt::format("{} exists; --force replaces it", options.out));
  }
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(options.source, kMaxWeightFileBytes));
  StatusOr<FoundRcan> found = FindIn(bytes);
  if (!found.ok()) return Annotate(found.status(), options.source);
  SuperResolutionFile file{.shape = found->shape,
                           .tensors = {},
                           .largest_pixel = LargestPixelOf(*found),
                           .facts = FactsOf(options.card, bytes)};
  file.tensors = std::move(found->tensors);
  const network::Description network = network::Rcan(file.shape);
  const size_t tensors = file.tensors.size();
  const double largest = file.largest_pixel;
  const std::string unproven = options.out + ".unproven";
  Status written = WriteSuperResolutionFile(unproven, std::move(file));
  if (written.ok()) written = Prove(unproven);
  if (written.ok()) std::filesystem::rename(unproven, options.out, error);
  if (!written.ok() || error) {
    std::error_code ignored;
    std::filesystem::remove(unproven, ignored);
    if (!written.ok()) return Annotate(written, options.source);
    return FailedPrecondition(fmt::format("cannot write {}: {}", options.out, error.message()));
  }
  PrintCardRow("network", network.name, out);
  PrintCardRow("enlarges", fmt::format("{} times", found->shape.scale), out);
  PrintCardRow("shape",
               fmt::format("{} groups of {} blocks, {} features, reduction {}", found->shape.groups,
                           found->shape.blocks, found->shape.features, found->shape.reduction),
               out);
  PrintCardRow("pixels", fmt::format("rgb of 0 to {:g}", largest), out);
  PrintCardRow("parameters",
               fmt::format("{} in {} tensors",
                           network::CountParameters(network::TensorsOf(network)), tensors),
               out);
  if (!found->left.empty()) {
    PrintCardRow("left out",
                 fmt::format("{} not the network's, such as {}",
                             Counted(found->left.size(), "tensor that is", "tensors that are"),
                             found->left.front()),
                 out);
  }
  PrintCardRow(
      "file",
      fmt::format("{}, {} bytes", options.out, std::filesystem::file_size(options.out, error)),
      out);
  return OkStatus();
}

}  // namespace facegate
