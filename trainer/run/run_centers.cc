#include "trainer/run/run_centers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <numeric>
#include <span>
#include <system_error>
#include <utility>

#include "face/base/file.h"
#include "face/weights/safetensors.h"
#include "trainer/learn/checkpoint_facts.h"
#include "trainer/learn/training.h"
#include "trainer/photos/open_dataset.h"
#include "trainer/photos/ordered_work.h"
#include "trainer/photos/photo_files.h"
#include "trainer/run/checkpoint_part.h"
#include "trainer/run/fit_checkpoints.h"
#include "trainer/run/left_out.h"
#include "trainer/run/network_input.h"
#include "trainer/run/run_directory.h"
#include "trainer/run/run_facts.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr size_t kComparedAtOnce = 32;                 // photos
constexpr uint64_t kMaxCheckpointBytes = 64ULL << 30;  // one with a large head

// The centres of all classes, those of one class together.
class CenterRows {
 public:
  // kDataLoss where the tensor is none of so many classes.
  static StatusOr<CenterRows> Create(const Tensor& weight, const ClassHeadOptions& head) {
    const std::vector<int64_t> shape = {head.classes * head.sub_centers, head.embedding_size};
    if (weight.dtype != DType::kF32 || weight.shape != shape) {
      return DataLoss(fmt::format("the head's weight is {} {}, expected F32 {}",
                                  DTypeName(weight.dtype), ShapeText(weight.shape),
                                  ShapeText(shape)));
    }
    CenterRows rows(static_cast<size_t>(head.embedding_size),
                    static_cast<size_t>(head.sub_centers));
    rows.values_.resize(weight.bytes.size() / sizeof(float));
    std::memcpy(rows.values_.data(), weight.bytes.data(), weight.bytes.size());
    return rows;
  }

  // The cosines of an embedding to the centres of a class.
  void Compare(std::span<const float> embedding, uint32_t label, std::vector<float>& to) const {
    for (size_t k = 0; k < centers_; ++k) {
      const auto center = std::span(values_).subspan((label * centers_ + k) * width_, width_);
      const double lengths = std::sqrt(Dot(embedding, embedding) * Dot(center, center));
      to.push_back(static_cast<float>(lengths > 0.0 ? Dot(embedding, center) / lengths : 0.0));
    }
  }
  size_t width() const { return width_; }

 private:
  CenterRows(size_t width, size_t centers) : width_(width), centers_(centers) {}

  static double Dot(std::span<const float> a, std::span<const float> b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  }

  const size_t width_;
  const size_t centers_;
  std::vector<float> values_;
};

// A network with the weights of a checkpoint; its own head is of no use.
StatusOr<std::unique_ptr<Training>> NetworkOfCheckpoint(TensorMap state, const RunFacts& facts) {
  auto taken = TakePart(state, "average");
  if (!taken.ok()) taken = TakePart(state, "backbone");
  FACEGATE_RETURN_IF_ERROR(taken.status());
  TensorMap weights;
  for (auto& [name, tensor] : *taken) weights.emplace("backbone." + name, std::move(tensor));
  const TrainingOptions& own = facts.recipe.training;
  FACEGATE_ASSIGN_OR_RETURN(
      auto network,
      Training::Create({.architecture = own.architecture,
                        .dropout = own.dropout,
                        .head = {.classes = 2, .embedding_size = own.head.embedding_size},
                        .schedule = {.total = 1},
                        .device = own.device}));
  FACEGATE_ASSIGN_OR_RETURN(const TakenWeights fits, network->StartFrom(weights));
  const bool is_whole = fits.left.empty() && std::none_of(fits.missing.begin(), fits.missing.end(),
                                                          [](const std::string& name) {
                                                            return name.starts_with("backbone.");
                                                          });
  if (!is_whole) return DataLoss(fmt::format("is no network of {}", own.architecture));
  return network;
}

// Photos that are compared at once.
struct ComparedPart {
  std::vector<float> pixels{};
  std::vector<size_t> photos{};
  std::vector<std::string> unusable{};
};

class CenterComparison {
 public:
  CenterComparison(const RunFacts& facts, Training& network, const CenterRows& rows,
                   Session& session, RunCenters& centers)
      : facts_(facts), network_(network), rows_(rows), session_(session), centers_(centers) {}

  Status AddAll() {
    const TrainingData& data = facts_.data;
    const size_t kept = data.validation != nullptr ? data.validation->size() : 0;
    ProgressBar progress = session_.Bar("photos compared", data.training->size() + kept);
    Status status = Add(*data.training, progress);
    centers_.trained = centers_.photos.size();
    if (status.ok() && kept > 0) status = Add(*data.validation, progress);
    progress.Finish();
    return status;
  }

 private:
  Status Add(const Dataset& photos, ProgressBar& progress) {
    const size_t count = photos.size();
    const auto make = [&](size_t part) -> StatusOr<ComparedPart> {
      return Read(photos, part * kComparedAtOnce);
    };
    const auto take = [&](size_t part, const ComparedPart& read) -> Status {
      Compare(photos, read);
      const size_t begin = part * kComparedAtOnce;
      for (size_t i = begin; i < std::min(begin + kComparedAtOnce, count); ++i) progress.Advance();
      return OkStatus();
    };
    return OrderedWork<ComparedPart>::Run((count + kComparedAtOnce - 1) / kComparedAtOnce,
                                          session_.threads(),
                                          2 * static_cast<size_t>(session_.threads()), make, take);
  }

  ComparedPart Read(const Dataset& photos, size_t begin) const {
    // Generated people have the last labels.
    const size_t real = facts_.data.identities - facts_.data.synthetic;
    ComparedPart part;
    for (size_t i = begin; i < std::min(begin + kComparedAtOnce, photos.size()); ++i) {
      if (photos.label(i) >= real) continue;  // also those without a label
      const auto input = NetworkInputOf(photos, i, facts_.recipe.preprocessing);
      if (!input.ok()) {
        part.unusable.emplace_back(MessageOf(input.status()));
        continue;
      }
      part.pixels.insert(part.pixels.end(), input->begin(), input->end());
      part.photos.push_back(i);
    }
    return part;
  }

  void Compare(const Dataset& photos, const ComparedPart& part) {
    std::copy(part.unusable.begin(), part.unusable.end(), std::back_inserter(centers_.unusable));
    if (part.photos.empty()) return;
    const auto count = static_cast<int64_t>(part.photos.size());
    const std::vector<float> embeddings = network_.Embed(part.pixels, count);
    for (size_t i = 0; i < part.photos.size(); ++i) {
      const uint32_t label = photos.label(part.photos[i]);
      rows_.Compare(std::span(embeddings).subspan(i * rows_.width(), rows_.width()), label,
                    centers_.cosines);
      centers_.labels.push_back(label);
      centers_.photos.push_back(photos.name(part.photos[i]));
    }
  }

  const RunFacts& facts_;
  Training& network_;
  const CenterRows& rows_;
  Session& session_;
  RunCenters& centers_;
};

// The photos of the run's sets that its own list leaves out.
StatusOr<std::vector<std::string>> LeftOutBefore(const Recipe& recipe) {
  std::vector<std::string> names;
  FACEGATE_ASSIGN_OR_RETURN(LeaveOutList list,
                            LeaveOutList::Read(recipe.data.leave_out, recipe.data.root));
  if (list.lines() == 0) return names;
  for (const auto* const paths : {&recipe.data.train, &recipe.data.unlabelled}) {
    for (const std::string& path : *paths) {
      FACEGATE_ASSIGN_OR_RETURN(const auto source, OpenPhotoSource(path, recipe.data.root));
      for (size_t i = 0; i < source->size(); ++i) {
        if (list.Contains(source->name(i))) names.push_back(source->name(i));
      }
    }
  }
  return names;
}

StatusOr<Safetensors> ReadCheckpointOf(const std::string& path, const RunFacts& facts) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxCheckpointBytes));
  StatusOr<Safetensors> file = ParseSafetensors(bytes);
  if (!file.ok()) return Annotate(file.status(), path);
  if (!HoldsTraining(*file)) {
    return RefuseField("RUN", fmt::format("{} is no checkpoint of fit", path));
  }
  if (TextIn(file->metadata, kPhotosDigest) == facts.data.digest) return file;
  return FailedPrecondition(
      fmt::format("the photos are not those that {} was made with, so that the classes of its head "
                  "are other people: give its own photos (--data, where they were moved)",
                  path));
}

}  // namespace

StatusOr<RunCheckpoint> FindCheckpoint(const std::string& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) {
    const fs::path run = WholePath(path).parent_path().parent_path();
    if (ReadRunRecipe(run.string()).ok()) return RunCheckpoint{.run = run.string(), .path = path};
    return RefuseField(
        "RUN", fmt::format("{} is not in the checkpoints of a run, whose recipe.yaml says which "
                           "photos its classes are of",
                           path));
  }
  const auto recipe = ReadRunRecipe(path);
  if (!recipe.ok()) {
    return RefuseField("RUN", fmt::format("{} is neither the folder of a run of fit nor one of "
                                          "its checkpoints",
                                          path));
  }
  FACEGATE_ASSIGN_OR_RETURN(const auto directory,
                            RunDirectory::Open(path, *recipe, RecipeToYaml(Recipe{})));
  FACEGATE_ASSIGN_OR_RETURN(const auto checkpoints, directory->Checkpoints());
  if (!checkpoints.empty()) return RunCheckpoint{.run = path, .path = checkpoints.front().path};
  return FailedPrecondition(fmt::format("{} has no checkpoint: nothing was learned there", path));
}

StatusOr<RunCenters> CompareWithCenters(const std::string& checkpoint, const Recipe& spelled_out,
                                        Session& session) {
  if (spelled_out.head.linear) {
    return FailedPrecondition("the head of this run is linear, which has no centres (head.linear)");
  }
  FACEGATE_ASSIGN_OR_RETURN(const RunFacts facts, OpenRunFacts(spelled_out));
  FACEGATE_ASSIGN_OR_RETURN(Safetensors file, ReadCheckpointOf(checkpoint, facts));
  const ClassHeadOptions& head = facts.recipe.training.head;
  const auto rows = CenterRows::Create(file.tensors["head.weight"], head);
  if (!rows.ok()) return Annotate(rows.status(), checkpoint);
  session.UseThreads();
  const auto network = NetworkOfCheckpoint(std::move(file.tensors), facts);
  if (!network.ok()) return Annotate(network.status(), checkpoint);
  RunCenters centers{.centers = static_cast<size_t>(head.sub_centers),
                     .identities = facts.data.names};
  FACEGATE_RETURN_IF_ERROR(CenterComparison(facts, **network, *rows, session, centers).AddAll());
  FACEGATE_ASSIGN_OR_RETURN(centers.left_out, LeftOutBefore(spelled_out));
  return centers;
}

}  // namespace facegate
