#include "trainer/run/learner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "face/base/check.h"

namespace facegate {
namespace {

// Each process opens the photos itself, and would learn from others without a word. Where they
// differ, they changed just then: the next try finds the same.
Status CheckSamePhotos(const std::string& digest, ProcessGroup& group) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<std::string> all, GatherTexts(digest, group));
  const auto other =
      std::find_if(all.begin(), all.end(), [&](const std::string& one) { return one != all[0]; });
  if (other == all.end()) return OkStatus();
  return Unavailable(fmt::format(
      "the photos of process {} of {} are not those of process 1: none may come, go or change its "
      "name while a run starts",
      other - all.begin() + 1, all.size()));
}

}  // namespace

StatusOr<std::unique_ptr<Learner>> Learner::Create(const RunFacts& facts, const Session& session,
                                                   std::shared_ptr<ProcessGroup> group) {
  if (group != nullptr) FACEGATE_RETURN_IF_ERROR(CheckSamePhotos(facts.data.digest, *group));
  std::unique_ptr<Learner> learner(new Learner(facts, session, group));
  session.UseThreads();
  FACEGATE_ASSIGN_OR_RETURN(learner->training_,
                            Training::Create(facts.recipe.training, std::move(group)));
  if (!facts.recipe.teacher.empty()) FACEGATE_RETURN_IF_ERROR(learner->OpenOwnTeacher());
  return learner;
}

Status Learner::OpenOwnTeacher() {
  const ResolvedRecipe& recipe = facts_.recipe;
  const bool with_maps = recipe.training.map_distillation > 0.0;
  FACEGATE_ASSIGN_OR_RETURN(teacher_, OpenTeacher(recipe.teacher, facts_.recipe.preprocessing,
                                                  with_maps, session_.threads()));
  const auto size = static_cast<int>(recipe.training.head.embedding_size);
  if (teacher_->embedding_size() != size) {
    return InvalidArgument(
        fmt::format("the teacher's embeddings have {} numbers, those of {} have {}",
                    teacher_->embedding_size(), recipe.training.architecture, size));
  }
  if (!with_maps) return OkStatus();
  FACEGATE_ASSIGN_OR_RETURN(const auto shapes, training_->MapShapes());
  if (shapes == teacher_->map_shapes()) return OkStatus();
  return InvalidArgument(fmt::format(
      "teacher.map_weight needs maps of the same shapes: the teacher's are {}, those of {} are {}",
      fmt::join(teacher_->map_shapes(), ", "), recipe.training.architecture,
      fmt::join(shapes, ", ")));
}

Status Learner::Give(OrderKind kind, const std::string& path) {
  if (group_ == nullptr || group_->rank() > 0) return OkStatus();
  return TextOfFirst(fmt::format("{}{}", static_cast<int>(kind), path), *group_).status();
}

StatusOr<Learner::Order> Learner::AwaitOrder() {
  FACEGATE_ASSIGN_OR_RETURN(const std::string text, TextOfFirst("", *group_));
  FACEGATE_CHECK(!text.empty());
  return Order{.kind = static_cast<OrderKind>(text[0] - '0'), .path = text.substr(1)};
}

StatusOr<TakenWeights> Learner::StartFrom(const TensorMap& weights) {
  FACEGATE_RETURN_IF_ERROR(Give(OrderKind::kStart));
  return training_->StartFrom(weights);
}

Status Learner::Save(const std::string& path, CheckpointFacts facts) {
  FACEGATE_RETURN_IF_ERROR(Give(OrderKind::kSave, path));
  return training_->Save(path, std::move(facts));
}

StatusOr<CheckpointFacts> Learner::Resume(const std::string& path) {
  FACEGATE_RETURN_IF_ERROR(Give(OrderKind::kResume, path));
  StatusOr<CheckpointFacts> facts = training_->Resume(path);
  if (group_ == nullptr) return facts;
  torch::Tensor failed = torch::full({1}, facts.ok() ? 0.0F : 1.0F);
  FACEGATE_RETURN_IF_ERROR(group_->Max(failed));
  if (facts.ok() && failed.item<float>() > 0.0F) {
    return Unavailable(fmt::format("another process cannot read {}", path));
  }
  return facts;
}

Status Learner::EndOthers() { return Give(OrderKind::kEnd); }

Status Learner::ShareSentences() {
  const std::string own = fmt::format("{}", fmt::join(std::exchange(to_tell_, {}), "\n"));
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<std::string> all, GatherTexts(own, *group_));
  for (const std::string& text : all) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) told_.push_back(line);
  }
  return OkStatus();
}

StatusOr<StepReport> Learner::Learn(const FedBatch& fed) {
  FACEGATE_RETURN_IF_ERROR(Give(OrderKind::kLearn));
  if (group_ != nullptr) FACEGATE_RETURN_IF_ERROR(ShareSentences());
  const Batch& batch = *fed.batch;
  Lesson lesson;
  if (teacher_ != nullptr) {
    const auto& shown = batch.undegraded.empty() ? batch.pixels : batch.undegraded;
    FACEGATE_ASSIGN_OR_RETURN(lesson, teacher_->Teach(shown, batch.labels.size()));
  }
  session_.UseThreads();
  return training_->Learn(
      batch, {.embeddings = lesson.embeddings, .maps = {lesson.maps.begin(), lesson.maps.end()}},
      fed.shipped);
}

StatusOr<ModelFile> Learner::Model() {
  const ResolvedRecipe& recipe = facts_.recipe;
  ModelFile file;
  FACEGATE_ASSIGN_OR_RETURN(file.tensors, training_->Weights());
  ModelCard& card = file.card;
  card.architecture = recipe.training.architecture;
  card.embedding_size = static_cast<int>(recipe.training.head.embedding_size);
  card.preprocessing = facts_.recipe.preprocessing;
  card.preprocessing.mirror_average = recipe.evaluate_mirror;
  card.training_data = recipe.card.training_data;
  card.licence = recipe.card.licence;
  card.origin = recipe.card.origin.empty() ? "facegate-train fit" : recipe.card.origin;
  if (!begun_with_.empty()) card.origin += fmt::format("; begun with {}", begun_with_);
  card.recipe = recipe.summary;
  if (teacher_ != nullptr) card.teacher = teacher_->description();
  card.intended_use = recipe.card.intended_use;
  card.unintended_use = recipe.card.unintended_use;
  return file;
}

}  // namespace facegate
