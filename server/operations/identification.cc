#include "server/operations/identification.h"

#include <algorithm>
#include <map>
#include <utility>

#include "server/engine/assignment.h"

namespace facegate {
namespace {

// A match at the threshold itself is worth something, too; far less than cosines differ by, so that
// it never outweighs them.
constexpr double kOfAnyMatch = 1e-12;

// Candidates are best first. Of a crowd there may be a million, and most of them are strangers.
void DropBelowThreshold(const DecisionBasis& basis, std::vector<Candidate>& nearest) {
  const auto matches = [&basis](const Candidate& candidate) {
    return Matches(candidate.score, basis);
  };
  nearest.erase(std::find_if_not(nearest.begin(), nearest.end(), matches), nearest.end());
  nearest.shrink_to_fit();
}

// The faces with those that are nearest to them in the gallery, as far as the answer needs them.
StatusOr<std::vector<SearchedFace>> SearchFaces(const OperationParts& parts,
                                                const IdentificationRequest& request,
                                                const DecisionBasis& basis,
                                                std::vector<JudgedFace> faces,
                                                const Caller& caller) {
  const size_t needed = NearestNeeded(request.options, faces.size());
  std::vector<Embedding> queries;
  for (const JudgedFace& face : faces) {
    if (face.embedding.has_value()) queries.push_back(*face.embedding);
  }
  SearchOptions search{.k = needed, .least_score = {}, .labels = request.options.labels};
  if (!request.options.include_below_threshold) search.least_score = basis.threshold;
  // All faces of a photo share one scan.
  FACEGATE_ASSIGN_OR_RETURN(
      auto found, parts.gallery.Search(request.collection, parts.engine.model(), queries, search,
                                       parts.engine.Wanted(caller)));
  std::vector<SearchedFace> searched;
  searched.reserve(faces.size());
  auto next = found.begin();
  for (JudgedFace& face : faces) {
    std::vector<Candidate> nearest;
    if (face.embedding.has_value()) nearest = std::move(*next++);
    if (!request.options.include_below_threshold) DropBelowThreshold(basis, nearest);
    searched.push_back({.face = std::move(face), .nearest = std::move(nearest)});
  }
  return searched;
}

// The one identity that each face may have, where nobody is in the picture twice.
StatusOr<std::vector<std::optional<std::string_view>>> AssignIdentities(
    std::span<const SearchedFace> faces, const DecisionBasis& basis, const StopCheck& stop) {
  std::vector<std::string_view> identities;
  std::map<std::string_view, size_t> columns;
  std::vector<WeightedPair> pairs;
  for (size_t row = 0; row < faces.size(); ++row) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    for (const Candidate& candidate : faces[row].nearest) {
      if (!Matches(candidate.score, basis)) break;
      const auto [place, added] = columns.emplace(candidate.identity, identities.size());
      if (added) identities.push_back(candidate.identity);
      const double above = static_cast<double>(candidate.score) - basis.threshold;
      pairs.push_back({.row = row, .column = place->second, .weight = above + kOfAnyMatch});
    }
  }
  std::vector<std::optional<std::string_view>> assigned(faces.size());
  FACEGATE_ASSIGN_OR_RETURN(const auto best,
                            BestAssignment(faces.size(), identities.size(), pairs, stop));
  for (size_t row = 0; row < faces.size(); ++row) {
    if (best[row].has_value()) assigned[row] = identities[*best[row]];
  }
  return assigned;
}

void AddCandidate(const IdentificationOptions& options, const Candidate& candidate,
                  Decision decision, IdentifiedFace& face) {
  if (face.candidates.size() >= options.max_candidates) return;
  face.candidates.push_back({.candidate = candidate, .decision = decision});
}

}  // namespace

size_t NearestNeeded(const IdentificationOptions& options, size_t faces) {
  // The others of the picture may take away a face's best: one of as many as there are faces is
  // left for it, or it has none that matters.
  return options.unique_identities ? std::max(options.max_candidates, faces)
                                   : options.max_candidates;
}

StatusOr<std::vector<IdentifiedFace>> DecideFaces(const IdentificationOptions& options,
                                                  const DecisionBasis& basis,
                                                  std::vector<SearchedFace> faces,
                                                  const StopCheck& stop) {
  std::vector<std::optional<std::string_view>> assigned;
  if (options.unique_identities) {
    FACEGATE_ASSIGN_OR_RETURN(assigned, AssignIdentities(faces, basis, stop));
  }
  std::vector<IdentifiedFace> decided;
  decided.reserve(faces.size());
  for (size_t i = 0; i < faces.size(); ++i) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    IdentifiedFace& result = decided.emplace_back();
    result.face = std::move(faces[i].face.report);
    if (!faces[i].face.embedding.has_value()) continue;  // seen, but not to be compared
    result.decision = Decision::kNoMatch;
    for (const Candidate& candidate : faces[i].nearest) {
      if (!Matches(candidate.score, basis)) {
        if (!options.include_below_threshold) break;
        AddCandidate(options, candidate, Decision::kNoMatch, result);
        continue;
      }
      if (options.unique_identities && assigned[i] != candidate.identity) continue;
      result.decision = Decision::kMatch;
      AddCandidate(options, candidate, Decision::kMatch, result);
    }
  }
  return decided;
}

StatusOr<IdentificationResult> Identify(const OperationParts& parts,
                                        const IdentificationRequest& request,
                                        const Caller& caller) {
  FACEGATE_ASSIGN_OR_RETURN(const CollectionInfo collection,
                            GetUsableCollection(parts.gallery, request.collection,
                                                parts.engine.model(), parts.engine.Wanted(caller)));
  IdentificationResult result;
  FACEGATE_ASSIGN_OR_RETURN(
      result.basis, BasisWithin(parts.of_calibrations(), collection, request.operating_point,
                                {.searched = std::max<uint64_t>(collection.template_count, 1)},
                                parts.engine.Wanted(caller)));
  const double wanted = WantedQuality(collection.settings.probe_quality, parts.quality.probe);
  FACEGATE_ASSIGN_OR_RETURN(std::vector<JudgedFace> faces,
                            EmbedComparable(parts, {&request.probe, 1}, wanted, caller));
  FACEGATE_ASSIGN_OR_RETURN(std::vector<SearchedFace> searched,
                            SearchFaces(parts, request, result.basis, std::move(faces), caller));
  FACEGATE_ASSIGN_OR_RETURN(
      result.faces,
      DecideFaces(request.options, result.basis, std::move(searched), parts.engine.Wanted(caller)));
  FACEGATE_ASSIGN_OR_RETURN(
      const CollectionInfo after,
      parts.gallery.GetCollection(request.collection, parts.engine.Wanted(caller)));
  result.gallery_identities = after.identity_count;
  return result;
}

}  // namespace facegate
