#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "face/base/device.h"
#include "face/base/number_range.h"
#include "face/base/precision.h"
#include "trainer/learn/head_options.h"
#include "trainer/learn/lr_schedule.h"

// These say what can be chosen about the step of learning. No LibTorch: recipes hold these.
namespace facegate {

// The ranges of the options below.
struct LearningRange {
  static constexpr NumberRange kMomentum{.min = 0.0, .max = 0.9999};
  static constexpr NumberRange kBeta2{.min = 0.0, .max = 0.99999};
  static constexpr NumberRange kEpsilon{.min = 1e-30, .max = 1.0};
  static constexpr NumberRange kFinalRate{.min = 1e-12, .max = 1e3};
  static constexpr NumberRange kBoundSpeed{.min = 1e-9, .max = 1.0};
  static constexpr NumberRange kWeightDecay{.min = 0.0, .max = 10.0};
  static constexpr NumberRange kBackboneRate{.min = 1e-6, .max = 1e3};
  static constexpr NumberRange kAccumulate{.min = 1.0, .max = 1e6};
  static constexpr NumberRange kClipNorm{.min = 0.0, .max = NumberRange::kInfinity};
  static constexpr NumberRange kEmaDecay{.min = 0.0, .max = 0.999999};
  static constexpr NumberRange kDropout{.min = 0.0, .max = 0.99};
  static constexpr NumberRange kDistillation{.min = 0.0, .max = NumberRange::kInfinity};
};

struct OptimizerOptions {
  // "sgd" (Nesterov), "adam", "adamw", "adabound".
  std::string kind = "sgd";
  double momentum = 0.9;
  bool nesterov = true;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  // adabound (Luo et al., 2019): the bounds close in on final_rate · rate / base_rate at the speed
  // `bound_speed`; amsbound keeps the largest second moment.
  double final_rate = 0.1;
  double bound_speed = 1e-3;
  double base_rate = 0.1;
  bool amsbound = false;
};

struct TrainingOptions {
  std::string architecture = "mobilefacenet-128";
  double dropout = 0.0;  // where the architecture has it
  // These keep their weights and running statistics: layers and tensors of the backbone by the
  // names of its state dict, each with all below it; "backbone": all of it.
  std::vector<std::string> freeze{};
  double backbone_rate = 1.0;  // times the learning rate: that of the backbone
  uint64_t seed = 1;           // of initial weights and dropout
  ClassHeadOptions head{};
  LossOptions loss{};
  OptimizerOptions optimizer{};
  ScheduleOptions schedule{};  // in updates
  double weight_decay = 5e-4;
  int64_t accumulate = 1;  // batches for one update, >= 1
  double clip_norm = 0.0;  // largest L2 norm of all gradients; 0: no clipping
  // Averages weights and running statistics by this decay, and the averages are then the result; 0:
  // none. The first updates forget faster, by min(ema_decay, (1 + t) / (10 + t)) after update t, so
  // that the random weights of the beginning are soon gone.
  double ema_decay = 0.0;
  int64_t margin_warmup = 0;  // batches until the margin has its full strength
  bool channels_last = true;  // the memory order of convolutions
  bool fused = true;          // see trainer/fused; on the CPU alone
  // Gradient checkpointing: of the backbone's activations the inputs of its blocks alone are kept,
  // and the rest is computed again on the way back. Results are those without `fused` and
  // `cuda_graph`, which are off then.
  bool recompute = false;
  // What the backbone computes in; the head, the losses, weights and what batch norms keep are
  // fp32. tf32 is fp32 on the CPU; fp16 is for cards, and losses are scaled then (GradientScaler).
  Precision precision = Precision::kFp32;
  Device device{};
  // On a card: results are equal to the bit, which is slower; on the CPU they are always.
  bool deterministic = false;
  bool cuda_graph = true;  // on a card: records steps and replays them, where they repeat
  // The weights of DistillationLoss() and of the mean MapLoss() where there is a teacher, >= 0.
  double distillation = 1.0;
  double map_distillation = 0.0;
  // Weight of LikenessLoss() of a batch's degraded pictures, >= 0.
  double likeness = 0.0;
  // Of several processes: gradients travel as FP16. One that is too large for it is one that is not
  // finite.
  bool narrow_gradients = false;
};

const std::vector<std::string>& OptimizerKinds();

}  // namespace facegate
