#include "trainer/run/resolved_recipe.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "face/embed/usual_preprocessing.h"
#include "face/image/align.h"
#include "face/network/architecture.h"

namespace facegate {
namespace {

int64_t Batches(double epochs, const RecipeFacts& facts) {
  return std::llround(epochs * static_cast<double>(facts.batches_per_epoch));
}

// The rate for as many photos as an update has, in proportion.
double RateOf(const Recipe& recipe) {
  const Recipe::Schedule& said = recipe.schedule;
  if (said.rate_batch == 0) return said.rate;
  const auto photos = static_cast<double>(recipe.data.batch * recipe.optimizer.accumulate);
  return std::clamp(said.rate * photos / static_cast<double>(said.rate_batch), said.rate_least,
                    std::max(said.rate_least, said.rate_most));
}

// Its lengths are in updates.
ScheduleOptions ScheduleOf(const Recipe& recipe, const RecipeFacts& facts) {
  const Recipe::Schedule& said = recipe.schedule;
  const auto updates = [&](double epochs) {
    return Batches(epochs, facts) / recipe.optimizer.accumulate;
  };
  ScheduleOptions schedule{.kind = said.kind,
                           .base = RateOf(recipe),
                           .minimum = said.minimum,
                           .total = std::max<int64_t>(1, updates(said.epochs)),
                           .every = std::max<int64_t>(1, updates(said.step_every)),
                           .gamma = said.gamma,
                           .power = said.power};
  // Otherwise a short run would end before the rate has fallen.
  schedule.warmup = std::min(schedule.total / 2, updates(said.warmup));
  schedule.tail = std::min(schedule.total - schedule.warmup, updates(said.tail));
  for (const double epoch : said.milestones) schedule.milestones.push_back(updates(epoch));
  return schedule;
}

OptimizerOptions OptimizerOf(const Recipe& recipe) {
  const Recipe::Optimizer& said = recipe.optimizer;
  return {.kind = said.kind,
          .momentum = said.momentum,
          .nesterov = said.nesterov,
          .beta1 = said.beta1,
          .beta2 = said.beta2,
          .epsilon = said.epsilon,
          .final_rate = said.final_rate,
          .bound_speed = said.bound_speed,
          .base_rate = recipe.schedule.rate,
          .amsbound = said.amsbound};
}

MarginOptions MarginOf(const Recipe::Head& said) {
  return {.kind = said.kind,
          .scale = said.scale,
          .margin = said.margin.value_or(MarginOptions{}.margin),
          .easy_margin = said.easy_margin,
          .gradient =
              said.gradient == "exact" ? MarginGradient::kExact : MarginGradient::kStraightThrough,
          .m1 = said.m1,
          .m2 = said.m2,
          .m3 = said.m3,
          .angle_factor = said.angle_factor,
          .lambda_base = said.lambda_base,
          .lambda_gamma = said.lambda_gamma,
          .lambda_power = said.lambda_power,
          .lambda_minimum = said.lambda_minimum,
          .h = said.h,
          .norm_momentum = said.norm_momentum,
          .lower_norm = said.lower_norm,
          .upper_norm = said.upper_norm,
          .lower_margin = said.lower_margin,
          .upper_margin = said.upper_margin,
          .norm_weight = said.norm_weight};
}

TrainingOptions TrainingOf(const Recipe& recipe, const RecipeFacts& facts, int embedding_size) {
  TrainingOptions training;
  training.architecture = SizedArchitecture(recipe);
  training.dropout = recipe.network.dropout;
  training.freeze = recipe.network.freeze;
  training.backbone_rate = recipe.optimizer.backbone_rate;
  training.seed = recipe.network.seed;
  training.head = {.classes = facts.identities,
                   .embedding_size = embedding_size,
                   .sub_centers = recipe.head.sub_centers,
                   .sample_rate = recipe.head.sample_rate,
                   .interclass_filter = recipe.head.interclass_filter,
                   .linear = recipe.head.linear,
                   .margin = MarginOf(recipe.head),
                   .seed = recipe.network.seed};
  training.loss = recipe.loss;
  training.optimizer = OptimizerOf(recipe);
  training.schedule = ScheduleOf(recipe, facts);
  training.weight_decay = recipe.optimizer.weight_decay;
  training.accumulate = recipe.optimizer.accumulate;
  training.clip_norm = recipe.optimizer.clip_norm;
  training.ema_decay = recipe.optimizer.ema;
  training.margin_warmup = Batches(recipe.head.margin_warmup, facts);
  training.channels_last = recipe.network.channels_last;
  training.precision = PrecisionFromName(recipe.network.precision).value_or(Precision::kFp32);
  training.deterministic = recipe.machine.deterministic;
  training.cuda_graph = recipe.machine.cuda_graph == "auto";
  training.recompute = recipe.machine.recompute;
  training.narrow_gradients = recipe.machine.compress == "fp16";
  training.distillation = recipe.teacher.weight;
  training.map_distillation = recipe.teacher.map_weight;
  training.likeness = recipe.loss.likeness;
  return training;
}

AlignmentTemplate AlignmentOf(const Recipe& recipe) {
  return AlignmentFromName(recipe.data.alignment).value_or(AlignmentTemplate::kArcFace112);
}

Preprocessing PreprocessingOf(const Recipe& recipe, const network::Input& input) {
  Preprocessing made =
      UsualPreprocessing(input, ColourOrderFromName(recipe.data.colour).value_or(ColourOrder::kRgb),
                         AlignmentOf(recipe));
  if (recipe.data.values == "unit") {
    made.mean.fill(0.0F);
    made.scale.fill(1.0F / 255.0F);
  } else if (recipe.data.values == "imagenet") {
    // Of red, green and blue, in 0..1.
    constexpr std::array<float, 3> kMean = {0.485F, 0.456F, 0.406F};
    constexpr std::array<float, 3> kDeviation = {0.229F, 0.224F, 0.225F};
    for (size_t c = 0; c < 3; ++c) {
      const size_t colour = made.colour_order == ColourOrder::kBgr ? 2 - c : c;
      made.mean[c] = 255.0F * kMean[colour];
      made.scale[c] = 1.0F / (255.0F * kDeviation[colour]);
    }
  }
  return made;
}

}  // namespace

DataOptions DataOptionsOf(const Recipe& spelled_out) {
  const Recipe& said = spelled_out;
  return {.train = said.data.train,
          .unlabelled = said.data.unlabelled,
          .root = said.data.root,
          .leave_out = said.data.leave_out,
          .alignment = AlignmentOf(said),
          .centre_crop = said.data.centre_crop,
          .random_crop = said.augment.random_crop,
          .min_photos = said.data.min_photos,
          .seed = said.network.seed,
          .synthetic_identities = said.synthetic.identities,
          .synthetic_views = said.synthetic.views,
          .synthetic_seed = said.synthetic.seed,
          .holdout_identities = said.holdout.identities,
          .holdout_photos = said.holdout.photos,
          .holdout_pairs = said.holdout.pairs,
          .holdout_share = said.holdout.share,
          .holdout_folds = said.holdout.folds,
          .holdout_fold = said.holdout.fold,
          .holdout_folds_of_people = said.holdout.fold_by == kFoldByPeople,
          .evaluate_pairs = said.evaluate.pairs,
          .evaluate_photos = said.evaluate.photos};
}

StatusOr<ResolvedRecipe> ResolveRecipe(const Recipe& spelled_out, const RecipeFacts& facts) {
  const Recipe& said = spelled_out;
  FACEGATE_ASSIGN_OR_RETURN(const network::Description network,
                            DescribeArchitecture(SizedArchitecture(said)));
  return ResolvedRecipe{.training = TrainingOf(said, facts, static_cast<int>(network.outputs)),
                        .batch = said.data.batch,
                        .balanced = said.data.balanced,
                        .augment = said.augment,
                        .blend = said.augment.blend,
                        .degrade = said.augment.degrade,
                        .preprocessing = PreprocessingOf(said, network.input),
                        .init = said.network.init,
                        .teacher = said.teacher.model,
                        .epochs = said.schedule.epochs,
                        .evaluate_every = said.evaluate.every,
                        .evaluate_mirror = said.evaluate.mirror,
                        .checkpoint_every = said.checkpoint.every,
                        .checkpoint_keep = said.checkpoint.keep,
                        .best_by = said.checkpoint.best_by,
                        .best_sets = said.checkpoint.best_sets,
                        .patience = said.checkpoint.patience,
                        .threads = said.machine.threads,
                        .loader_threads = said.machine.loader_threads,
                        .processes = said.machine.processes,
                        .device = said.machine.device,
                        .card = said.card,
                        .summary = RecipeSummary(said),
                        .warnings = RecipeWarnings(said)};
}

}  // namespace facegate
