#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "face/base/status.h"

// 1:1 figures from scores (cosines) of genuine and impostor pairs.
namespace facegate {

struct ScoredPair {
  double cosine = 0.0;
  bool same = false;
  // False where a photo has no face: the cosine is then below all others and made up.
  bool comparable = true;
};

// Says from which scores on a pair counts as one person, as tried on the training folds; the first
// of the best wins.
enum class ThresholdRule {
  kExact,          // each cosine that occurs, ascending; same if cosine >= threshold
  kGridDistance,   // L2 distances 0, 0.01 … 3.99; same if distance < threshold
  kGridSquaredL2,  // the same numbers for squared distances (InsightFace's verification.py)
};

// A share with its 95 % confidence interval.
struct Share {
  double value = 0.0;  // 0..1
  double low = 0.0;
  double high = 0.0;
};
// The share of `hits` in n trials, with Wilson's score interval.
Share ShareOf(size_t hits, size_t trials);

// True when so many trials can show an error rate at all: below one error in them it is the rate of
// no error.
bool IsMeasurable(double rate, size_t trials);

// Counts answers about pairs, where "accepted" is the answer that a pair is one person.
struct AnswerCounts {
  size_t accepted_same = 0;
  size_t accepted_other = 0;
  size_t refused_same = 0;
  size_t refused_other = 0;

  void Add(bool accepted, bool same);
  size_t right() const { return accepted_same + refused_other; }
  size_t total() const { return right() + accepted_other + refused_same; }
  // Shares, 0..1; 0 where nothing is counted that they are shares of.
  double precision() const;  // accepted pairs that are one person
  double recall() const;     // pairs of one person that are accepted
  double f1() const;         // the harmonic mean of both
};

struct FoldAccuracy {
  double mean = 0.0;       // 0..1
  double deviation = 0.0;  // population standard deviation over the folds
  std::vector<double> folds;
  double threshold = 0.0;  // mean over the folds, in the rule's own measure
  Share pairs;             // right answers among all pairs, each judged by its fold's threshold
  AnswerCounts answers{};  // of them
};

// Cross-validated accuracy: `folds` blocks of consecutive pairs (their sizes differ by one at
// most); each block is judged by the threshold that is best on the others. kInvalidArgument with
// fewer pairs than folds, or fewer than 2 folds.
StatusOr<FoldAccuracy> CrossValidate(std::span<const ScoredPair> pairs, size_t folds,
                                     ThresholdRule rule);

// The rate at which genuine pairs are accepted by thresholds that the other folds' impostor pairs
// give.
struct ValidationRate {
  double far = 0.0;           // asked for
  double mean = 0.0;          // of the folds' shares of accepted genuine pairs, 0..1
  double deviation = 0.0;     // population standard deviation over the folds
  double measured_far = 0.0;  // the mean of the folds' shares of accepted impostor pairs
};

// Cross-validated acceptance, FaceNet's "validation rate" (davidsandberg/facenet, lfw.py, as
// InsightFace and AdaFace took it over): blocks as in CrossValidate(). For each block the threshold
// is a squared L2 distance at which the impostor pairs of the other blocks are accepted at the rate
// `far`: of the grid 0, 0.001 … 3.999, linear between the last point below the rate and the first
// that reaches it; 0, which accepts nothing, where none does. A pair is accepted below it. Blocks
// without genuine (impostor) pairs have no part in the mean of these. kInvalidArgument as
// CrossValidate(), unless 0 < far < 1, and unless there are pairs of both kinds.
StatusOr<ValidationRate> ValidateAtFar(std::span<const ScoredPair> pairs, size_t folds, double far);

struct AcceptanceAtFar {
  double far = 0.0;        // asked for
  double threshold = 0.0;  // accepted above it
  Share tar;               // true accept rate
};

// Genuine and impostor scores, each sorted in descending order.
class ScoreDistribution {
 public:
  // kInvalidArgument unless there are both.
  static StatusOr<ScoreDistribution> Make(std::span<const ScoredPair> pairs);

  // k = floor(far · impostors); the threshold is the (k+1)-th highest impostor score, accepted is
  // what lies above it. kInvalidArgument unless 0 <= far < 1.
  StatusOr<AcceptanceAtFar> AtFar(double far) const;
  // The mean of FAR and FRR at the score, of those that occur, where |FAR - FRR| is smallest.
  double EqualErrorRate() const;
  // The same with an interval by the normal approximation of (FAR + FRR) / 2 (Bengio and Mariéthoz,
  // "A statistical significance test for person authentication", 2004).
  Share EqualErrorShare() const;
  // The area under the ROC curve: the probability that a genuine pair scores higher than an
  // impostor pair, ties counting half.
  double Auc() const;
  // The same with an interval by its standard error (Hanley and McNeil, "The meaning and use of the
  // area under a ROC curve", 1982).
  Share AucShare() const;
  // Difference of the means over the root of the mean variance.
  double DPrime() const;

  std::span<const double> genuine() const { return genuine_; }
  std::span<const double> impostor() const { return impostor_; }

 private:
  struct Errors {
    double far = 0.0;
    double frr = 0.0;
  };
  Errors EqualErrors() const;

  std::vector<double> genuine_;
  std::vector<double> impostor_;
  double d_prime_ = 0.0;  // of the pairs that could be compared
};

}  // namespace facegate
