#include "trainer/measure/evaluation.h"

namespace facegate {
namespace {

constexpr size_t kLeastPhotos = 2;  // of a person who is looked for

StatusOr<EvalReport::Identification> Identify(const FigureOptions& options,
                                              const IdentificationScores& scores,
                                              const IdentificationProtocol& protocol) {
  EvalReport::Identification result{.people = protocol.gallery.size(),
                                    .probes = protocol.probes.size(),
                                    .strangers = protocol.strangers.size(),
                                    .rank_1 = scores.AtRank(1),
                                    .rank_5 = scores.AtRank(5),
                                    .rank_10 = scores.AtRank(10),
                                    .cmc = {},
                                    .open_set = {}};
  result.cmc.reserve(options.cmc);
  for (size_t rank = 1; rank <= options.cmc; ++rank) result.cmc.push_back(scores.AtRank(rank));
  if (protocol.strangers.empty()) return result;
  result.open_set.reserve(options.fpirs.size());
  for (const double fpir : options.fpirs) {
    FACEGATE_ASSIGN_OR_RETURN(const OpenSetRate rate, scores.AtFpir(fpir));
    result.open_set.push_back(rate);
  }
  return result;
}

}  // namespace

StatusOr<std::vector<ScoredPair>> ScorePairs(const PairList& list, const EmbeddingSet& first,
                                             const EmbeddingSet& second) {
  std::vector<ScoredPair> pairs;
  pairs.reserve(list.pairs.size());
  for (const FacePair& pair : list.pairs) {
    FACEGATE_ASSIGN_OR_RETURN(const size_t a, first.IndexOf(pair.first));
    FACEGATE_ASSIGN_OR_RETURN(const size_t b, second.IndexOf(pair.second));
    pairs.push_back({.cosine = CosineOf(first.row(a), second.row(b)),
                     .same = pair.same,
                     .comparable = first.has_face(a) && second.has_face(b)});
  }
  return pairs;
}

StatusOr<EvalReport> EvaluateSets(const FigureOptions& options, const PairList& list,
                                  const EmbeddingSet& first, const EmbeddingSet& second) {
  if (first.names() != second.names() || first.dimension() != second.dimension()) {
    return InvalidArgument("the two sets of embeddings are not of the same photos");
  }
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<ScoredPair> pairs, ScorePairs(list, first, second));
  EvalReport report;
  report.photos = first.size();
  report.without_face = first.without_face();
  FACEGATE_ASSIGN_OR_RETURN(report.exact, CrossValidate(pairs, list.folds, ThresholdRule::kExact));
  FACEGATE_ASSIGN_OR_RETURN(report.grid_distance,
                            CrossValidate(pairs, list.folds, ThresholdRule::kGridDistance));
  FACEGATE_ASSIGN_OR_RETURN(report.grid_squared,
                            CrossValidate(pairs, list.folds, ThresholdRule::kGridSquaredL2));
  FACEGATE_ASSIGN_OR_RETURN(const ScoreDistribution scores, ScoreDistribution::Make(pairs));
  report.genuine = scores.genuine().size();
  report.impostor = scores.impostor().size();
  report.tar.reserve(options.fars.size());
  for (const double far : options.fars) {
    FACEGATE_ASSIGN_OR_RETURN(const AcceptanceAtFar at, scores.AtFar(far));
    report.tar.push_back(at);
    if (far <= 0.0) continue;
    FACEGATE_ASSIGN_OR_RETURN(const ValidationRate rate, ValidateAtFar(pairs, list.folds, far));
    report.validation.push_back(rate);
  }
  report.eer = scores.EqualErrorShare();
  report.auc = scores.AucShare();
  report.d_prime = scores.DPrime();
  // There is nobody to look for without anybody who has two photos.
  if (const auto protocol = FirstPhotoProtocol(first, kLeastPhotos); protocol.ok()) {
    const IdentificationScores ranks =
        IdentificationScores::Compute(first, second, *protocol, options.threads);
    FACEGATE_ASSIGN_OR_RETURN(report.identification, Identify(options, ranks, *protocol));
  }
  return report;
}

}  // namespace facegate
