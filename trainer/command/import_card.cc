#include "trainer/command/import_card.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "face/base/counted.h"
#include "face/base/file.h"
#include "face/weights/model_card_reader.h"

namespace facegate {
namespace {

constexpr char kUnstated[] = "not stated";
constexpr uint64_t kMostFigureBytes = 1 << 20;

struct Preset {
  std::string name;
  Preprocessing preprocessing;
  std::string training_data;
  std::string licence;
  std::string origin;
  std::vector<std::string> architectures;
};

// Each preset is what the project's own code does to a face before the network sees it.
const std::vector<Preset>& Presets() {
  static const std::vector<Preset> presets = {
      {.name = "bubbliiiing",
       .preprocessing = {.alignment = AlignmentTemplate::kSphereFace96x112, .letterbox = true},
       .training_data = "CASIA-WebFace",
       .licence = "MIT; the training data are for research",
       .origin = "github.com/bubbliiiing/arcface-pytorch, model_data",
       .architectures = {"mobilefacenet-128", "iresnet-50"}},
      {.name = "insightface",
       .preprocessing = {.alignment = AlignmentTemplate::kArcFace112},
       .training_data = kUnstated,
       .licence = "InsightFace's models are for non-commercial research only; its code is MIT",
       .origin = "github.com/deepinsight/insightface, recognition/arcface_torch",
       .architectures = {"iresnet-50", "iresnet-100", "iresnet-18", "iresnet-34", "iresnet-200",
                         "mobilefacenet-512", "vit-t", "vit-s"}},
      {.name = "adaface",
       .preprocessing = {.colour_order = ColourOrder::kBgr,
                         .alignment = AlignmentTemplate::kArcFace112},
       .training_data = kUnstated,
       .licence = "AdaFace's code is MIT; the training data are for research",
       .origin = "github.com/mk-minchul/AdaFace",
       .architectures = {"adaface-ir-50", "adaface-ir-100", "ir-18", "ir-34"}},
      {.name = "arcface-tf2",
       .preprocessing = {.mean = {0.0F, 0.0F, 0.0F},
                         .scale = {1 / 255.0F, 1 / 255.0F, 1 / 255.0F},
                         .alignment = AlignmentTemplate::kArcFace112},
       .training_data = "MS1M",
       .licence = "MIT; the training data are for research",
       .origin = "github.com/peteryuX/arcface-tf2",
       .architectures = {"keras-resnet-50", "keras-mobilenetv2"}},
  };
  return presets;
}

StatusOr<ModelCard> StartingPoint(const std::optional<ModelCard>& source,
                                  const CardOptions& options) {
  ModelCard card;
  if (source) card = *source;
  if (options.preset) {
    const auto preset = std::find_if(Presets().begin(), Presets().end(), [&](const Preset& known) {
      return known.name == *options.preset;
    });
    if (preset == Presets().end()) {
      return RefuseField("--preset", fmt::format("{} is unknown, there are {}", *options.preset,
                                                 fmt::join(ImportPresetNames(), ", ")));
    }
    card.preprocessing = preset->preprocessing;
    card.training_data = preset->training_data;
    card.licence = preset->licence;
    card.origin = preset->origin;
    return card;
  }
  if (source) return card;
  if (!options.alignment) {
    return RefuseField(
        "--alignment",
        fmt::format("how the training crops were aligned must be said, a wrong template silently "
                    "ruins accuracy: give --preset {}, or --alignment {} or {} (with --color, "
                    "--mean, --scale, --letterbox and --mirror where they differ from RGB, 127.5, "
                    "1/127.5 and no)",
                    fmt::join(ImportPresetNames(), " or "),
                    AlignmentName(AlignmentTemplate::kArcFace112),
                    AlignmentName(AlignmentTemplate::kSphereFace96x112)));
  }
  card.training_data = kUnstated;
  card.licence = kUnstated;
  card.origin = kUnstated;
  return card;
}

Status SetThree(const char* flag, const std::vector<float>& values, std::array<float, 3>& field) {
  if (values.empty()) return OkStatus();
  if (values.size() != 1 && values.size() != field.size()) {
    return RefuseField(flag, fmt::format("{} numbers, expected 1 or 3", values.size()));
  }
  for (size_t i = 0; i < field.size(); ++i) field[i] = values[values.size() == 1 ? 0 : i];
  return OkStatus();
}

// Sets the order of the channels, of which the network takes so many.
Status SetColour(const CardOptions& options, int64_t channels, Preprocessing& preprocessing) {
  if (options.color) {
    const std::optional<ColourOrder> order = ColourOrderFromName(*options.color);
    if (!order) {
      return RefuseField("--color", fmt::format("{} is none of rgb, bgr and grey", *options.color));
    }
    preprocessing.colour_order = *order;
  } else if (channels == 1) {
    preprocessing.colour_order = ColourOrder::kGrey;
  }
  if (preprocessing.channels() == channels) return OkStatus();
  return RefuseField(
      "--color",
      fmt::format("{} has {}, the network takes {}", ColourOrderName(preprocessing.colour_order),
                  Counted(static_cast<size_t>(preprocessing.channels()), "channel", "channels"),
                  channels));
}

// A crop that stands in an input as it is, or is scaled to fill it, needs no word.
bool FitsPlainly(const cv::Size& crop, const cv::Size& input) {
  const bool alike = crop.width * input.height == crop.height * input.width;
  const bool within = crop.width <= input.width && crop.height <= input.height;
  return alike || (within && (crop.width == input.width || crop.height == input.height));
}

// Sets what becomes of crops whose size is not the input's.
Status SetLetterbox(const CardOptions& options, bool template_is_new,
                    Preprocessing& preprocessing) {
  const cv::Size crop = CropSize(preprocessing.alignment);
  const cv::Size input(preprocessing.input_width, preprocessing.input_height);
  if (options.letterbox) {
    preprocessing.letterbox = *options.letterbox;
  } else if (template_is_new || (crop != input && !preprocessing.letterbox)) {
    preprocessing.letterbox = crop != input;
    if (!FitsPlainly(crop, input)) {
      return RefuseField(
          "--alignment",
          fmt::format("a crop of {}x{} does not fit the network's input of {}x{}: give another "
                      "--alignment, or --letterbox where the training crops had borders",
                      crop.width, crop.height, input.width, input.height));
    }
  }
  if (preprocessing.letterbox || crop == input) return OkStatus();
  return RefuseField("--no-letterbox",
                     fmt::format("a crop of {}x{} does not fill an input of {}x{}", crop.width,
                                 crop.height, input.width, input.height));
}

Status SetPreprocessing(const CardOptions& options, const network::Input& input,
                        Preprocessing& preprocessing) {
  preprocessing.input_width = static_cast<int>(input.width);
  preprocessing.input_height = static_cast<int>(input.height);
  bool template_is_new = false;
  if (options.alignment) {
    const std::optional<AlignmentTemplate> alignment = AlignmentFromName(*options.alignment);
    if (!alignment) {
      return RefuseField("--alignment", fmt::format("{} is unknown", *options.alignment));
    }
    // The letterbox of another template says nothing about this one.
    template_is_new = preprocessing.alignment != *alignment || !options.preset;
    preprocessing.alignment = *alignment;
  }
  FACEGATE_RETURN_IF_ERROR(SetColour(options, input.channels, preprocessing));
  FACEGATE_RETURN_IF_ERROR(SetThree("--mean", options.mean, preprocessing.mean));
  FACEGATE_RETURN_IF_ERROR(SetThree("--scale", options.scale, preprocessing.scale));
  if (options.letterbox_grey) {
    if (*options.letterbox_grey < 0 || *options.letterbox_grey > 255) {
      return RefuseField("--letterbox-grey",
                         fmt::format("{} is not a number from 0 to 255", *options.letterbox_grey));
    }
    preprocessing.letterbox_grey = static_cast<uint8_t>(*options.letterbox_grey);
  }
  preprocessing.mirror_average = options.mirror.value_or(preprocessing.mirror_average);
  return SetLetterbox(options, template_is_new, preprocessing);
}

StatusOr<std::vector<AccuracyFigure>> ReadFigures(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string json, ReadFile(path, kMostFigureBytes));
  auto figures = AccuracyFromJson(json);
  return figures.ok() ? std::move(figures) : Annotate(figures.status(), path);
}

}  // namespace

const std::vector<std::string>& ImportPresetNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    all.reserve(Presets().size());
    for (const Preset& preset : Presets()) all.push_back(preset.name);
    return all;
  }();
  return names;
}

std::vector<std::string> ArchitecturesOfPreset(const std::string& preset) {
  const auto known = std::find_if(Presets().begin(), Presets().end(),
                                  [&](const Preset& one) { return one.name == preset; });
  return known == Presets().end() ? std::vector<std::string>() : known->architectures;
}

StatusOr<ModelCard> MakeCard(const std::optional<ModelCard>& source, const CardOptions& options,
                             const network::Input& input) {
  FACEGATE_ASSIGN_OR_RETURN(ModelCard card, StartingPoint(source, options));
  FACEGATE_RETURN_IF_ERROR(SetPreprocessing(options, input, card.preprocessing));
  if (source && card.preprocessing != source->preprocessing) {
    card.accuracy.clear();
    card.default_min_cosine.reset();
  }
  if (options.default_min_cosine) card.default_min_cosine = options.default_min_cosine;
  if (options.training_data) card.training_data = *options.training_data;
  if (options.licence) card.licence = *options.licence;
  if (options.origin) card.origin = *options.origin;
  if (options.teacher) card.teacher = *options.teacher;
  if (options.intended_use) card.intended_use = *options.intended_use;
  if (options.unintended_use) card.unintended_use = *options.unintended_use;
  if (options.figures) {
    FACEGATE_ASSIGN_OR_RETURN(card.accuracy, ReadFigures(*options.figures));
  }
  card.canary.reset();
  return card;
}

}  // namespace facegate
