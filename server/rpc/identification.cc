#include "server/rpc/identification.h"

#include <algorithm>
#include <map>
#include <optional>

#include "server/engine/assignment.h"
#include "server/rpc/decision.h"
#include "server/rpc/resource_messages.h"
#include "server/rpc/resource_name.h"

namespace facegate {
namespace {

// A match at the threshold itself is worth something, too; far less than cosines differ by, so that
// it never outweighs them.
constexpr double kOfAnyMatch = 1e-12;

bool Matches(const Candidate& candidate, const v1::DecisionBasis& basis) {
  return Decide(candidate.cosine, basis) == v1::DECISION_MATCH;
}

// The one identity that each face may have, where nobody is in the picture twice.
StatusOr<std::vector<std::optional<std::string_view>>> AssignIdentities(
    std::span<const IdentifiedFace> faces, const v1::DecisionBasis& basis, const StopCheck& stop) {
  std::vector<std::string_view> identities;
  std::map<std::string_view, size_t> columns;
  std::vector<WeightedPair> pairs;
  for (size_t row = 0; row < faces.size(); ++row) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    for (const Candidate& candidate : faces[row].nearest) {
      if (!Matches(candidate, basis)) break;
      const auto [place, added] = columns.emplace(candidate.identity, identities.size());
      if (added) identities.push_back(candidate.identity);
      const double above = static_cast<double>(candidate.cosine) - basis.threshold();
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
                  v1::Decision decision, v1::IdentifyResponse::Result* result) {
  if (result->candidates_size() >= static_cast<int>(options.max_candidates)) return;
  v1::IdentifyResponse::Candidate* out = result->add_candidates();
  out->set_identity_id(candidate.identity);
  out->set_cosine(candidate.cosine);
  out->set_decision(decision);
  out->set_template_name(
      TemplateName(options.collection, candidate.identity, candidate.template_id));
}

}  // namespace

size_t NearestNeeded(const IdentificationOptions& options, size_t faces) {
  // Where the others of the picture take away a face's best, one of as many as there are faces is
  // left for it, or it has none that matters.
  return options.unique_identities ? std::max(options.max_candidates, faces)
                                   : options.max_candidates;
}

Status AddResults(const IdentificationOptions& options, std::span<const IdentifiedFace> faces,
                  const StopCheck& stop, v1::IdentifyResponse* response) {
  const v1::DecisionBasis& basis = response->basis();
  std::vector<std::optional<std::string_view>> assigned;
  if (options.unique_identities) {
    FACEGATE_ASSIGN_OR_RETURN(assigned, AssignIdentities(faces, basis, stop));
  }
  for (size_t i = 0; i < faces.size(); ++i) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    const auto& [face, nearest] = faces[i];
    v1::IdentifyResponse::Result* result = response->add_results();
    if (face.detected.has_value()) FillFace(*face.detected, result->mutable_face());
    // Seen, but not to be compared.
    result->set_decision(face.embedding.has_value() ? v1::DECISION_NO_MATCH
                                                    : v1::DECISION_INCONCLUSIVE);
    for (const Candidate& candidate : nearest) {
      if (!Matches(candidate, basis)) {
        if (!options.include_below_threshold) break;
        AddCandidate(options, candidate, v1::DECISION_NO_MATCH, result);
        continue;
      }
      if (options.unique_identities && assigned[i] != candidate.identity) continue;
      result->set_decision(v1::DECISION_MATCH);
      AddCandidate(options, candidate, v1::DECISION_MATCH, result);
    }
  }
  return OkStatus();
}

}  // namespace facegate
