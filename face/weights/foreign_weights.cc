#include "face/weights/foreign_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "face/base/file_kind.h"
#include "face/image/image_format.h"

namespace facegate {
namespace {

constexpr std::string_view kExpected = "expected a file of torch.save (.pth, .pt) or .safetensors";
constexpr std::array<std::string_view, 5> kFrameworks = {"TensorFlow", "Keras", "MXNet", "ncnn",
                                                         "GGUF"};

// Says what is to be done with a file of another kind.
std::string_view WayOut(std::string_view kind) {
  const auto has = [kind](std::string_view part) { return kind.find(part) != kind.npos; };
  if (has("archive")) return "unpack it first";
  if (has("ONNX")) return "facegate-train import makes a model file of one";
  if (std::any_of(kFrameworks.begin(), kFrameworks.end(), has)) {
    return "only weights that PyTorch saved, or .safetensors, are read";
  }
  return kExpected;
}

std::string TextAdvice(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin != std::string_view::npos && text[begin] == '{') {
    return "the file is JSON text, not weights (an index beside the weights, perhaps)";
  }
  return fmt::format("the file is text, not weights; {}", kExpected);
}

}  // namespace

std::string ForeignWeights(std::string_view bytes) {
  if (bytes.starts_with("PK")) return "";
  const std::string_view start = bytes.substr(0, kFileKindBytes);
  if (const std::string_view kind = FileKindName(start); !kind.empty()) {
    return fmt::format("the file is {}, not weights of PyTorch; {}", kind, WayOut(kind));
  }
  switch (const ImageFormat format = SniffImageFormat(start); format) {
    case ImageFormat::kEmpty:
      return "the file is empty; download or copy it again";
    case ImageFormat::kHtml:
      return "the file is a web page (HTML), not weights; download the file that the page offers";
    case ImageFormat::kGitLfsPointer:
      return "the file is a Git LFS pointer, not the weights that it stands for; fetch them with "
             "git lfs pull, or download the file itself";
    case ImageFormat::kText:
      return TextAdvice(start);
    case ImageFormat::kUnknown:
      return "";
    default:
      return fmt::format("the file is {}, not weights", NameWithArticle(format));
  }
}

}  // namespace facegate
