#include "server/operations/identification.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include "server/engine/assignment.h"

namespace facegate {
namespace {

// A match at the threshold itself is worth something, too; far less than cosines differ by, so that
// it never outweighs them.
constexpr double kOfAnyMatch = 1e-12;

// A collection and the rules that hold in this search.
struct Scope {
  CollectionInfo collection;
  double wanted = 0.0;  // the quality of a face that is compared
  DecisionBasis basis{};
};

bool IsMatch(const DecidedCandidate& candidate) { return candidate.decision == Decision::kMatch; }

bool IsBefore(const IdentificationOptions& options, const DecidedCandidate& a,
              const DecidedCandidate& b) {
  if (IsMatch(a) != IsMatch(b)) return IsMatch(a);
  // Which of several matches a face gets is decided by how far they exceed their thresholds.
  if (IsMatch(a) && options.unique_identities) return a.above > b.above;
  return a.candidate.score > b.candidate.score;
}

// A refusal that is of a collection names its place in the request; where it names another field,
// the message says the place.
Status AtCollection(const Status& status, const std::string& field) {
  const std::optional<Reason> reason = ReasonOf(status);
  const bool of_collection =
      reason == Reason::kCollectionNotFound || reason == Reason::kModelMismatch ||
      reason == Reason::kNoOperatingPoint || reason == Reason::kCalibrationUnsupported;
  if (field.empty() || !of_collection) return status;
  return FieldOf(status).empty() ? AtField(status, field) : Annotate(status, field);
}

// All collections are looked up before a picture is decoded.
StatusOr<std::vector<Scope>> ScopesOf(const OperationParts& parts,
                                      const IdentificationRequest& request, const StopCheck& stop) {
  std::vector<Scope> scopes;
  uint64_t templates = 0;
  for (const ChosenCollection& chosen : request.collections) {
    auto collection = GetUsableCollection(parts.gallery, chosen.id, parts.engine.model(), stop);
    if (!collection.ok()) return AtCollection(collection.status(), chosen.field);
    templates += collection->template_count;
    const double wanted = WantedQuality(collection->settings.probe_quality, parts.quality.probe);
    scopes.push_back({.collection = *std::move(collection), .wanted = wanted});
  }
  for (size_t i = 0; i < scopes.size(); ++i) {
    auto basis = BasisWithin(parts.of_calibrations(), scopes[i].collection, request.operating_point,
                             {.searched = std::max<uint64_t>(templates, 1)}, stop);
    if (!basis.ok()) return AtCollection(basis.status(), request.collections[i].field);
    scopes[i].basis = *std::move(basis);
  }
  return scopes;
}

QualityRange WantedBy(std::span<const Scope> scopes) {
  const auto [least, most] =
      std::minmax_element(scopes.begin(), scopes.end(),
                          [](const Scope& a, const Scope& b) { return a.wanted < b.wanted; });
  return {.least = least->wanted, .most = most->wanted};
}

// Candidates are best first. Of a crowd there may be a million, and most of them are strangers.
std::vector<DecidedCandidate> JudgeFound(const IdentificationOptions& options, size_t collection,
                                         const DecisionBasis& basis, std::vector<Candidate> found) {
  std::vector<DecidedCandidate> judged;
  for (Candidate& candidate : found) {
    if (!options.include_below_threshold && !Matches(candidate.score, basis)) break;
    judged.push_back(Judge(std::move(candidate), collection, basis));
  }
  return judged;
}

// Searches one collection for the faces that are good enough for it. All of them share one scan.
Status SearchCollection(const OperationParts& parts, const IdentificationRequest& request,
                        size_t index, const Scope& scope, const StopCheck& stop,
                        std::vector<SearchedFace>& faces) {
  std::vector<Embedding> queries;
  std::vector<SearchedFace*> compared;
  for (SearchedFace& face : faces) {
    if (face.face.embedding.has_value() && IsFit(face.face.report.quality, scope.wanted)) {
      queries.push_back(*face.face.embedding);
      compared.push_back(&face);
    } else {
      face.not_compared_with.push_back(index);
    }
  }
  if (queries.empty()) return OkStatus();
  const size_t needed = NearestNeeded(request.options, faces.size());
  SearchOptions search{.k = needed, .least_score = {}, .labels = request.options.labels};
  if (!request.options.include_below_threshold) search.least_score = scope.basis.threshold;
  FACEGATE_ASSIGN_OR_RETURN(
      auto found, parts.gallery.Search(request.collections[index].id, parts.engine.model(), queries,
                                       search, stop));
  for (size_t i = 0; i < compared.size(); ++i) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    MergeNearest(request.options, needed,
                 JudgeFound(request.options, index, scope.basis, std::move(found[i])),
                 compared[i]->nearest);
  }
  return OkStatus();
}

// The faces with those that are nearest to them in all collections, as far as the answer needs
// them.
StatusOr<std::vector<SearchedFace>> SearchFaces(const OperationParts& parts,
                                                const IdentificationRequest& request,
                                                std::span<const Scope> scopes,
                                                std::vector<JudgedFace> faces,
                                                const StopCheck& stop) {
  std::vector<SearchedFace> searched;
  searched.reserve(faces.size());
  for (JudgedFace& face : faces) searched.push_back({.face = std::move(face), .nearest = {}});
  for (size_t i = 0; i < scopes.size(); ++i) {
    const Status status = SearchCollection(parts, request, i, scopes[i], stop, searched);
    if (!status.ok()) return AtCollection(status, request.collections[i].field);
  }
  return searched;
}

// A place among the nearest of a face.
using Place = std::optional<size_t>;

// Where the one match that each face may have is, where nobody is in the picture twice.
StatusOr<std::vector<Place>> AssignIdentities(std::span<const SearchedFace> faces,
                                              const StopCheck& stop) {
  using Identity = std::pair<size_t, std::string_view>;  // its collection, and its id there
  std::map<Identity, size_t> columns;
  std::vector<WeightedPair> pairs;
  std::vector<size_t> places;  // of the pairs
  for (size_t row = 0; row < faces.size(); ++row) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    const std::vector<DecidedCandidate>& nearest = faces[row].nearest;
    for (size_t i = 0; i < nearest.size() && IsMatch(nearest[i]); ++i) {
      const Identity identity{nearest[i].collection, nearest[i].candidate.identity};
      const size_t column = columns.emplace(identity, columns.size()).first->second;
      pairs.push_back({.row = row, .column = column, .weight = nearest[i].above + kOfAnyMatch});
      places.push_back(i);
    }
  }
  std::vector<Place> assigned(faces.size());
  FACEGATE_ASSIGN_OR_RETURN(const auto best,
                            BestAssignment(faces.size(), columns.size(), pairs, stop));
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (best[pairs[i].row] == pairs[i].column) assigned[pairs[i].row] = places[i];
  }
  return assigned;
}

// `assigned` is where the only candidate is that may match; null: all may.
IdentifiedFace DecideFace(const IdentificationOptions& options, const Place* assigned,
                          SearchedFace face) {
  IdentifiedFace result{.face = std::move(face.face.report),
                        .decision = Decision::kInconclusive,
                        .candidates = {},
                        .not_compared_with = std::move(face.not_compared_with)};
  if (!face.face.embedding.has_value()) return result;  // seen, but not to be compared
  if (result.not_compared_with.empty()) result.decision = Decision::kNoMatch;
  for (size_t i = 0; i < face.nearest.size(); ++i) {
    DecidedCandidate& candidate = face.nearest[i];
    if (IsMatch(candidate)) {
      if (assigned != nullptr && *assigned != i) continue;
      result.decision = Decision::kMatch;
    }
    if (result.candidates.size() < options.max_candidates) {
      result.candidates.push_back(std::move(candidate));
    }
  }
  // It may be somebody of a collection that it was not compared with: nobody is named.
  if (result.decision == Decision::kInconclusive) result.candidates.clear();
  return result;
}

}  // namespace

size_t NearestNeeded(const IdentificationOptions& options, size_t faces) {
  // The others of the picture may take away a face's best: one of as many as there are faces is
  // left for it, or it has none that matters.
  return options.unique_identities ? std::max(options.max_candidates, faces)
                                   : options.max_candidates;
}

DecidedCandidate Judge(Candidate candidate, size_t collection, const DecisionBasis& basis) {
  const float score = candidate.score;
  return {.candidate = std::move(candidate),
          .collection = collection,
          .decision = Decide(score, basis),
          .above = static_cast<double>(score) - static_cast<double>(basis.threshold)};
}

void MergeNearest(const IdentificationOptions& options, size_t needed,
                  std::vector<DecidedCandidate> more, std::vector<DecidedCandidate>& nearest) {
  const auto before = static_cast<std::ptrdiff_t>(nearest.size());
  std::move(more.begin(), more.end(), std::back_inserter(nearest));
  std::inplace_merge(nearest.begin(), nearest.begin() + before, nearest.end(),
                     [&options](const DecidedCandidate& a, const DecidedCandidate& b) {
                       return IsBefore(options, a, b);
                     });
  if (nearest.size() > needed) nearest.resize(needed);
  nearest.shrink_to_fit();
}

StatusOr<std::vector<IdentifiedFace>> DecideFaces(const IdentificationOptions& options,
                                                  std::vector<SearchedFace> faces,
                                                  const StopCheck& stop) {
  std::vector<Place> assigned;
  if (options.unique_identities) {
    FACEGATE_ASSIGN_OR_RETURN(assigned, AssignIdentities(faces, stop));
  }
  std::vector<IdentifiedFace> decided;
  decided.reserve(faces.size());
  for (size_t i = 0; i < faces.size(); ++i) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    decided.push_back(DecideFace(options, options.unique_identities ? &assigned[i] : nullptr,
                                 std::move(faces[i])));
  }
  return decided;
}

StatusOr<IdentificationResult> Identify(const OperationParts& parts,
                                        const IdentificationRequest& request,
                                        const Caller& caller) {
  const StopCheck stop = parts.engine.Wanted(caller);
  FACEGATE_ASSIGN_OR_RETURN(std::vector<Scope> scopes, ScopesOf(parts, request, stop));
  FACEGATE_ASSIGN_OR_RETURN(std::vector<JudgedFace> faces,
                            EmbedComparable(parts, {&request.probe, 1}, WantedBy(scopes), caller));
  FACEGATE_ASSIGN_OR_RETURN(std::vector<SearchedFace> searched,
                            SearchFaces(parts, request, scopes, std::move(faces), stop));
  IdentificationResult result;
  FACEGATE_ASSIGN_OR_RETURN(result.faces, DecideFaces(request.options, std::move(searched), stop));
  for (size_t i = 0; i < scopes.size(); ++i) {
    const auto after = parts.gallery.GetCollection(request.collections[i].id, stop);
    if (!after.ok()) return AtCollection(after.status(), request.collections[i].field);
    result.searched.push_back(
        {.basis = std::move(scopes[i].basis), .identities = after->identity_count});
  }
  return result;
}

}  // namespace facegate
