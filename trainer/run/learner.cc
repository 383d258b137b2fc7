#include "trainer/run/learner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace facegate {

StatusOr<std::unique_ptr<Learner>> Learner::Create(const RunFacts& facts, const Session& session) {
  std::unique_ptr<Learner> learner(new Learner(facts, session));
  session.UseThreads();
  FACEGATE_ASSIGN_OR_RETURN(learner->training_, Training::Create(facts.recipe.training));
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

StatusOr<StepReport> Learner::Learn(const FedBatch& fed) {
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
