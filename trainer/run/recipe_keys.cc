#include "trainer/run/recipe_keys.h"

#include "face/network/architecture.h"
#include "trainer/learn/lr_schedule.h"
#include "trainer/learn/training_options.h"

namespace facegate {

KeyTable RecipeKeys(Recipe& r) {
  return {
      {"data.train", &r.data.train,
       "Labelled photos: folders with a folder for each identity, lists, packs, or other sets that "
       "facegate-train convert reads. All photos are aligned crops; see data.alignment and "
       "data.centre_crop."},
      {"data.unlabelled", &r.data.unlabelled,
       "More photos, of the same kinds, whose labels do not count: only a teacher's embeddings "
       "are learned from them."},
      {"data.root", &r.data.root,
       "The folder that relative paths of this file, and of the lists that it names, are below. "
       "Empty: the current folder for the one, each list's own folder for the other. A run whose "
       "photos were moved goes on with another one."},
      {"data.leave_out", &r.data.leave_out,
       "A file with the path of a photo to leave out in each line (inspect --quarantine), "
       "relative to data.root, or to its own folder where there is none."},
      {"data.centre_crop", &r.data.centre_crop, InRange(0, 65536),
       "Where pictures show more than the crop: the height in pixels of their middle, which is "
       "what is trained and evaluated with. 0: they are crops."},
      {"data.min_photos", &r.data.min_photos, InRange(1, 1e9),
       "Identities with fewer photos are left out."},
      {"data.batch", &r.data.batch, InRange(2, 65536), "Photos in a batch."},
      {"data.balanced", &r.data.balanced,
       "Draw every identity equally often, instead of every photo once an epoch."},
      {"data.colour", &r.data.colour, OneOf({"rgb", "bgr"}),
       "The order in which the network takes the colour channels. A network of one channel takes "
       "grey."},
      {"data.alignment", &r.data.alignment, OneOf({"arcface-112x112", "sphereface-96x112"}),
       "The template of the crops, and their size. Where the network's input has another size, "
       "crops are fitted into it on grey."},
      {"data.values", &r.data.values, OneOf({"centred", "unit", "imagenet"}),
       "What the network takes for pixels: -1 to 1, 0 to 1, or by ImageNet's means and "
       "deviations."},

      {"augment.flip", &r.augment.flip, InRange(0, 1), "Probability that a photo is mirrored."},
      {"augment.blend", &r.augment.blend, InRange(0, 1),
       "Probability that a photo is blended with another one and loses its label; needs "
       "teacher.model."},
      {"augment.degrade", &r.augment.degrade, InRange(0, 1),
       "Probability that a photo is then spoilt as cameras and covers do it, those of a batch by "
       "the same kind of flaw; a teacher is shown it unspoilt."},
      {"augment.random_crop", &r.augment.random_crop, InRange(0, 1),
       "Probability that another part of the picture than its middle is seen; needs "
       "data.centre_crop."},
      {"augment.crop", &r.augment.crop, InRange(0, 1),
       "Probability that a photo is shifted, zoomed and turned."},
      {"augment.crop_shift", &r.augment.crop_shift, InRange(0, 1),
       "The largest shift, as a share of the side."},
      {"augment.crop_zoom", &r.augment.crop_zoom, InRange(0, 0.999),
       "The strongest zoom, as a share of the side."},
      {"augment.crop_turn", &r.augment.crop_turn, InRange(0, 180), "The largest turn, in degrees."},
      {"augment.zero_crop", &r.augment.zero_crop, InRange(0, 1),
       "Probability that everything outside a random part turns black (AdaFace's crop)."},
      {"augment.low_resolution", &r.augment.low_resolution, InRange(0, 1),
       "Probability that a photo is made small and then large again."},
      {"augment.low_resolution_least", &r.augment.low_resolution_least, InRange(0.01, 1),
       "The smallest size, as a share of the side."},
      {"augment.low_resolution_factor", &r.augment.low_resolution_factor, InRange(0, 64),
       "Instead of a random size: always so many times smaller, by bicubic interpolation. 0: "
       "random."},
      {"augment.photometric", &r.augment.photometric, InRange(0, 1),
       "Probability that brightness, contrast and saturation are changed."},
      {"augment.brightness", &r.augment.brightness, InRange(0, 1),
       "Brightness is multiplied by up to 1 ± this."},
      {"augment.contrast", &r.augment.contrast, InRange(0, 1),
       "Contrast is multiplied by up to 1 ± this."},
      {"augment.saturation", &r.augment.saturation, InRange(0, 1),
       "Saturation is multiplied by up to 1 ± this."},
      {"augment.hue", &r.augment.hue, InRange(0, 0.5),
       "With these, colours are turned by up to this share of their circle."},
      {"augment.grey", &r.augment.grey, InRange(0, 1),
       "Probability that a photo loses its colours."},
      {"augment.erase", &r.augment.erase, InRange(0, 1),
       "Probability that a rectangle is replaced by noise."},
      {"augment.erase_most", &r.augment.erase_most, InRange(0, 1),
       "The largest rectangle, as a share of the area."},
      {"augment.blur", &r.augment.blur, InRange(0, 1), "Probability that a photo is blurred."},
      {"augment.blur_most", &r.augment.blur_most, InRange(0.1, 16),
       "The strongest blur: the Gaussian's deviation in pixels."},

      {"synthetic.identities", &r.synthetic.identities, InRange(0, 1e7),
       "Generated identities that are trained on beside the real ones."},
      {"synthetic.views", &r.synthetic.views, InRange(1, 1e5),
       "Pictures of each generated identity."},
      {"synthetic.seed", &r.synthetic.seed, InRange(0, 1e18),
       "Decides who the generated identities are."},

      {"holdout.identities", &r.holdout.identities, InRange(0, 1e7),
       "Identities of data.train that are kept out of training and evaluated with; 0: none."},
      {"holdout.photos", &r.holdout.photos, InRange(2, 1e6),
       "The most photos of each held-out identity that pairs are made of."},
      {"holdout.pairs", &r.holdout.pairs, InRange(20, 1e7),
       "The number of pairs, half of them of one person."},
      {"holdout.share", &r.holdout.share, InRange(0, 0.9),
       "Share of the photos of each identity that is trained on which are kept out of training: "
       "their loss, and how often the right class is the nearest of all, are measured at each "
       "evaluation."},
      {"holdout.folds", &r.holdout.folds, InRange(0, 1000),
       "Split all into so many folds, of which holdout.fold is kept from training: over all folds, "
       "each is kept once. In place of holdout.share (by photos) or holdout.identities (by "
       "people). 0: no folds."},
      {"holdout.fold", &r.holdout.fold, InRange(0, 999),
       "The fold that is kept from training: 0 to holdout.folds - 1. facegate-train sweep --method "
       "grid --try holdout.fold=0,1,2,3,4 trains with each and says mean and deviation."},
      {"holdout.fold_by", &r.holdout.fold_by, OneOf({"photos", kFoldByPeople}),
       "photos: each fold has the same share of the photos of each identity, which are measured as "
       "those of holdout.share. people: each fold has other identities, who are evaluated with as "
       "those of holdout.identities."},

      {"evaluate.pairs", &r.evaluate.pairs,
       "Other sets of pairs to evaluate with, as for facegate-train eval: lists, .bin files of "
       "InsightFace, folders of bcolz arrays or memfiles. Empty: none."},
      {"evaluate.photos", &r.evaluate.photos,
       "The folder with the photos of the lists among evaluate.pairs, which are aligned crops."},
      {"evaluate.every", &r.evaluate.every, InRange(0.001, 1e6), "Epochs between two evaluations."},
      {"evaluate.mirror", &r.evaluate.mirror,
       "Average each embedding with that of the mirror image, and say so in the model card."},

      {"network.architecture", &r.network.architecture, OneOf(ArchitectureNames()),
       "The backbone."},
      {"network.input", &r.network.input,
       "The size of its pictures, WIDTHxHEIGHT, such as 224x224, into which crops are fitted. "
       "Empty: that of the original."},
      {"network.dropout", &r.network.dropout, LearningRange::kDropout,
       "Dropout before the last linear layer, where the backbone has one there."},
      {"network.seed", &r.network.seed, InRange(0, 1e18), "Decides everything random in the run."},
      {"network.channels_last", &r.network.channels_last,
       "Keep the channels of a pixel together in memory, which is faster on a CPU."},
      {"network.precision", &r.network.precision, OneOf({"fp32", "tf32", "bf16", "fp16"}),
       "What the backbone computes in; weights, head and losses are fp32. tf32: a card rounds what "
       "it multiplies, a CPU does not. bf16: slower on a CPU without instructions for it. fp16: on "
       "a card alone. network.bf16, true or false, is another name for bf16 and fp32."},

      {"network.init", &r.network.init,
       "Trained weights to begin with: a model file, a checkpoint of fit, another .safetensors, "
       "a .pth or Keras' .h5. Tensors that fit by name and shape are taken. Empty: random "
       "weights."},
      {"network.freeze", &r.network.freeze,
       "What keeps the weights of network.init: names of layers or tensors, each with all below "
       "it (facegate-train summary lists them); backbone: all but the head."},

      {"head.kind", &r.head.kind, OneOf(MarginKinds()), "The loss, of the ArcFace family."},
      {"head.scale", &r.head.scale, HeadRange::kScale,
       "The scale s: cosines are multiplied by it before the softmax."},
      {"head.margin", &r.head.margin, HeadRange::kAngle,
       "The margin m: radians for arcface and curricularface, a cosine for cosface and adaface. "
       "auto: the paper's, 0.5 for arcface and curricularface, 0.35 for cosface, 0.4 for adaface."},
      {"head.easy_margin", &r.head.easy_margin,
       "arcface (with head.gradient exact) and magface: no margin where the angle is above 90 "
       "degrees."},
      {"head.gradient", &r.head.gradient, OneOf({"exact", "straight-through"}),
       "For arcface and combined: exact is the derivative of the formula; straight-through takes "
       "the margin for a constant, as InsightFace does."},
      {"head.m1", &r.head.m1, HeadRange::kM1,
       "For combined, whose margin turns cos(angle) into cos(m1 angle + m2) - m3: the factor m1."},
      {"head.m2", &r.head.m2, HeadRange::kAngle,
       "For combined: m2 of that formula, added to the angle, in radians."},
      {"head.m3", &r.head.m3, HeadRange::kM3,
       "For combined: m3 of that formula, subtracted from the cosine."},
      {"head.h", &r.head.h, HeadRange::kH, "For adaface: how strongly the norm moves the margin."},
      {"head.norm_momentum", &r.head.norm_momentum, HeadRange::kNormMomentum,
       "For adaface: the share of a batch in the running mean and deviation of the norms."},
      {"head.lower_norm", &r.head.lower_norm, HeadRange::kLowerNorm,
       "For magface: the norm with the lower margin."},
      {"head.upper_norm", &r.head.upper_norm, HeadRange::kUpperNorm,
       "For magface: the norm with the upper margin."},
      {"head.lower_margin", &r.head.lower_margin, HeadRange::kAngle,
       "For magface: the margin of embeddings with lower_norm, in radians."},
      {"head.upper_margin", &r.head.upper_margin, HeadRange::kAngle,
       "For magface: the margin of embeddings with upper_norm, in radians."},
      {"head.norm_weight", &r.head.norm_weight, HeadRange::kNormWeight,
       "For magface: the weight of the loss that keeps norms up."},
      {"head.angle_factor", &r.head.angle_factor, HeadRange::kAngleFactor,
       "For sphereface: the whole number m that multiplies the angle."},
      {"head.lambda_base", &r.head.lambda_base, HeadRange::kLambda,
       "For sphereface: the margin's share in step t is 1 / (1 + lambda), where lambda is the "
       "larger of lambda_minimum and lambda_base (1 + lambda_gamma t)^-lambda_power."},
      {"head.lambda_gamma", &r.head.lambda_gamma, HeadRange::kLambdaShape,
       "For sphereface: how fast lambda falls with the steps, see lambda_base."},
      {"head.lambda_power", &r.head.lambda_power, HeadRange::kLambdaShape,
       "For sphereface: the exponent by which lambda falls, see lambda_base."},
      {"head.lambda_minimum", &r.head.lambda_minimum, HeadRange::kLambda,
       "For sphereface: the smallest lambda, which decides the margin's share in the end."},
      {"head.sub_centers", &r.head.sub_centers, HeadRange::kSubCenters,
       "Centres of each class, of which the nearest counts."},
      {"head.sample_rate", &r.head.sample_rate, HeadRange::kSampleRate,
       "Share of the classes that a batch is compared with (Partial FC)."},
      {"head.interclass_filter", &r.head.interclass_filter, HeadRange::kInterclassFilter,
       "Other classes whose cosine is above this do not count, for sets with wrong labels. 0: all "
       "count."},
      {"head.linear", &r.head.linear,
       "Use a plain linear layer with a bias instead of cosines and a margin."},
      {"head.margin_warmup", &r.head.margin_warmup, InRange(0, 1e6),
       "Epochs until the margin has its full strength."},

      {"loss.focal_gamma", &r.loss.focal_gamma, HeadRange::kFocalGamma,
       "Exponent of the focal loss of each photo; 0: cross entropy."},
      {"loss.label_smoothing", &r.loss.label_smoothing, HeadRange::kSmoothing,
       "The share of the target that all classes have alike."},
      {"loss.likeness", &r.loss.likeness, LearningRange::kDistillation,
       "Weight of the mean of max(0, cosine)^2 over pairs of spoilt photos of different people; "
       "needs augment.degrade."},

      {"teacher.model", &r.teacher.model,
       "A model file whose embeddings are learned from as well. Empty: none."},
      {"teacher.weight", &r.teacher.weight, LearningRange::kDistillation,
       "Weight of the mean of 1 - cosine to the teacher's embeddings."},
      {"teacher.map_weight", &r.teacher.map_weight, LearningRange::kDistillation,
       "Weight of how far the maps between the stages are from the teacher's, which must have "
       "the same sizes. 0: they are not compared."},

      {"optimizer.kind", &r.optimizer.kind, OneOf(OptimizerKinds()), "The optimiser."},
      {"optimizer.momentum", &r.optimizer.momentum, LearningRange::kMomentum,
       "For sgd: the share of its velocity that each update keeps."},
      {"optimizer.nesterov", &r.optimizer.nesterov,
       "For sgd: take Nesterov's momentum instead of the plain one."},
      {"optimizer.beta1", &r.optimizer.beta1, LearningRange::kMomentum,
       "For adam, adamw and adabound: decay of the running mean of the gradients."},
      {"optimizer.beta2", &r.optimizer.beta2, LearningRange::kBeta2,
       "For adam, adamw and adabound: decay of the running mean of their squares."},
      {"optimizer.epsilon", &r.optimizer.epsilon, LearningRange::kEpsilon,
       "For adam, adamw and adabound: added to the root of the second moment, against division "
       "by zero."},
      {"optimizer.final_rate", &r.optimizer.final_rate, LearningRange::kFinalRate,
       "For adabound: the rate of SGD that it ends with."},
      {"optimizer.bound_speed", &r.optimizer.bound_speed, LearningRange::kBoundSpeed,
       "For adabound: how fast its bounds close in."},
      {"optimizer.amsbound", &r.optimizer.amsbound,
       "For adabound: keep the largest second moment."},
      {"optimizer.weight_decay", &r.optimizer.weight_decay, LearningRange::kWeightDecay,
       "Weight decay of convolutions and linear layers; batch norms, biases and PReLU slopes "
       "have none."},
      {"optimizer.clip_norm", &r.optimizer.clip_norm, LearningRange::kClipNorm,
       "The largest norm of all gradients together; 0: no clipping."},
      {"optimizer.backbone_rate", &r.optimizer.backbone_rate, LearningRange::kBackboneRate,
       "Times schedule.rate: the rate of the backbone, which trained weights want lower than "
       "that of a new head."},
      {"optimizer.accumulate", &r.optimizer.accumulate, LearningRange::kAccumulate,
       "Batches for one update, which is made by their mean gradient."},
      {"optimizer.ema", &r.optimizer.ema, LearningRange::kEmaDecay,
       "Decay of the averaged weights and running statistics, which are then the result; 0: no "
       "average."},

      {"schedule.kind", &r.schedule.kind, OneOf(ScheduleKinds()), "How the learning rate falls."},
      {"schedule.rate", &r.schedule.rate, ScheduleRange::kRate,
       "The learning rate after the warm-up."},
      {"schedule.rate_batch", &r.schedule.rate_batch, InRange(0, 1e6),
       "The number of photos in an update that schedule.rate is meant for: with more of them the "
       "rate is as much higher. 0: it is taken as it is."},
      {"schedule.rate_least", &r.schedule.rate_least, ScheduleRange::kMinimum,
       "With schedule.rate_batch: the lowest rate that comes of it."},
      {"schedule.rate_most", &r.schedule.rate_most, ScheduleRange::kRate,
       "With schedule.rate_batch: the highest rate that comes of it."},
      {"schedule.minimum", &r.schedule.minimum, ScheduleRange::kMinimum,
       "The rate that cosine, polynomial and yolox end with."},
      {"schedule.epochs", &r.schedule.epochs, InRange(0.001, 1e6),
       "How long to train. A run, a finished one too, goes on with more."},
      {"schedule.warmup", &r.schedule.warmup, InRange(0, 1e6),
       "Epochs in which the rate rises; at most half of the training."},
      {"schedule.step_every", &r.schedule.step_every, InRange(0.001, 1e6),
       "For step: epochs between two falls."},
      {"schedule.gamma", &r.schedule.gamma, ScheduleRange::kGamma,
       "For step and multistep: what the rate is multiplied by."},
      {"schedule.milestones", &r.schedule.milestones, InRange(0, 1e6),
       "For multistep: the epochs after which the rate falls."},
      {"schedule.power", &r.schedule.power, ScheduleRange::kPower,
       "For polynomial: the exponent of the share of the training that is left."},
      {"schedule.tail", &r.schedule.tail, InRange(0, 1e6),
       "For yolox: epochs at the minimum, at the end."},

      {"checkpoint.every", &r.checkpoint.every, InRange(1, 1e12), "Batches between checkpoints."},
      {"checkpoint.keep", &r.checkpoint.keep, InRange(1, 1e6), "How many checkpoints are kept."},
      {"checkpoint.best_by", &r.checkpoint.best_by,
       OneOf({"accuracy", "tar", "eer", kBestByLoss, kBestByValidation}),
       "What makes the best model: accuracy, tar (at FAR 1e-3) or eer, the mean of the evaluation "
       "sets; loss, the mean of the training since the evaluation before; or validation, the "
       "loss of the photos of holdout.share."},
      {"checkpoint.best_sets", &r.checkpoint.best_sets,
       "The names of the evaluation sets that checkpoint.best_by is the mean of: held-out, or the "
       "file's name without its ending (lfw for lfw.bin). Empty: all."},
      {"checkpoint.patience", &r.checkpoint.patience, InRange(0, 1e6),
       "Evaluations in a row without a better one after which training ends early; 0: never."},

      {"machine.threads", &r.machine.threads, InRange(0, 1024),
       "Threads that compute. Results are equal to the bit for an equal number. 0: one for each "
       "core. A run may go on with another number."},
      {"machine.loader_threads", &r.machine.loader_threads, InRange(1, 1024),
       "Threads that read and change photos; results do not depend on them."},
      {"machine.processes", &r.machine.processes, InRange(1, 64),
       "Processes that train together, each on its part of every batch, with its part of the "
       "head's classes and its share of the threads: on the CPU, or, in a build for GPUs with "
       "NCCL, each on a card of its own, from that of machine.device on. data.batch is a multiple "
       "of it, and there are at least as many identities. Above 1 it does not go with "
       "teacher.model, loss.likeness, holdout.share or holdout.folds of photos, nor on the CPU "
       "with a card or network.precision fp16. Results are the same up to rounding, but for what "
       "a network leaves out at random (network.dropout, drop-path, masked tokens), which is "
       "drawn anew. A run may go on with another number."},
      {"machine.compress", &r.machine.compress, OneOf({"off", "fp16"}),
       "fp16: gradients are halves of their bytes on their way between machine.processes, and "
       "rounded to 11 bits, and fewer where they are smaller than a millionth of the largest. A "
       "run may go on with another value."},
      {"machine.recompute", &r.machine.recompute,
       "Gradient checkpointing: keep the input of each of the backbone's blocks alone, and compute "
       "the rest again on the way back, which takes less memory and more time. It goes with "
       "everything; layers that run as one on the CPU and machine.cuda_graph are off with it. A "
       "network of another framework that is one graph is cut where a single value is alive, and "
       "gains nothing where there is no such place. Results are the same up to rounding. A run may "
       "go on with another value."},
      {"machine.device", &r.machine.device, Example("cuda:0"),
       "Where the network computes: cpu; cuda:N, a card by its number; auto, the first card that "
       "can be used, or else the CPU. A run may go on on another one."},
      {"machine.deterministic", &r.machine.deterministic,
       "On a card: results are equal to the bit each time, which is slower. On a CPU they always "
       "are."},
      {"machine.cuda_graph", &r.machine.cuda_graph, OneOf({"auto", "off"}),
       "On a card: record the operators of a step once and replay them, where every step has the "
       "same ones."},

      {"card.training_data", &r.card.training_data,
       "What the model card says of the photos, who is in them and their terms, in words. "
       "Required."},
      {"card.licence", &r.card.licence, "The licence of the weights."},
      {"card.origin", &r.card.origin, "Where the weights come from."},
      {"card.intended_use", &r.card.intended_use, "What the model is for."},
      {"card.unintended_use", &r.card.unintended_use, "What it is not for."},
  };
}

}  // namespace facegate
