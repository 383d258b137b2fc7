#include "trainer/embeddings/pair_photos.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "face/base/counted.h"
#include "trainer/photos/photo_files.h"
#include "trainer/photos/photo_finder.h"
#include "trainer/photos/shown_name.h"

namespace facegate {
namespace {

std::string WithoutEnding(const std::string& name) {
  return HasPictureEnding(name) ? name.substr(0, name.find_last_of('.')) : name;
}

// Refuses what is missing, or takes its pairs out. `where` and `all_advice` are for messages.
Status TreatMissing(const MissingPairPhotos& missing, MissingPhotos rule, const std::string& where,
                    const std::string& all_advice, PairList& list,
                    std::vector<std::string>& remarks) {
  if (missing.photos.empty()) return OkStatus();
  const bool all = missing.pairs == list.pairs.size();
  if (all || rule != MissingPhotos::kSkip) {
    return InvalidArgument(
        "the pairs: " +
        MissingPhotosMessage(missing.photos, missing.names, where,
                             all ? all_advice : "--skip-missing leaves out the pairs with them."));
  }
  LeaveOutPairs(missing.photos, list);
  remarks.push_back(fmt::format(
      "left out: {}, because {} not there, such as {}", Counted(missing.pairs, "pair", "pairs"),
      Counted(missing.photos.size(), "photo is", "photos are"), ShownName(missing.photos.front())));
  return OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<NamedPhotos>> FindPairPhotos(const std::string& folder,
                                                      MissingPhotos missing, PairList& list,
                                                      std::vector<std::string>& remarks) {
  PhotoFinder finder(folder);
  std::map<std::string, std::string> paths;
  const MissingPairPhotos absent = FindMissing(list, [&](const std::string& name) {
    std::optional<std::string> path = finder.Find(name);
    if (!path.has_value()) return false;
    paths.emplace(name, *std::move(path));
    return true;
  });
  FACEGATE_RETURN_IF_ERROR(
      TreatMissing(absent, missing, folder,
                   "Names in a list of pairs are relative to the folder --photos.", list, remarks));
  // A photo whose partner is missing is embedded all the same: it may show in 1:N figures.
  std::vector<NamedPhoto> photos;
  photos.reserve(paths.size());
  for (auto& [name, path] : paths) photos.push_back({.name = name, .path = std::move(path)});
  return MakeFilePhotos(std::move(photos));
}

Status MatchPairNames(const EmbeddingSet& set, MissingPhotos missing, PairList& list,
                      std::vector<std::string>& remarks) {
  std::unordered_map<std::string, std::string> names;
  for (const std::string& name : set.names()) names.emplace(WithoutEnding(name), name);
  for (const std::string& name : set.names()) names.insert_or_assign(name, name);
  const auto rename = [&names](std::string& name) {
    auto found = names.find(name);
    if (found == names.end()) found = names.find(WithoutEnding(name));
    if (found != names.end()) name = found->second;
  };
  for (FacePair& pair : list.pairs) {
    rename(pair.first);
    rename(pair.second);
  }
  const MissingPairPhotos absent =
      FindMissing(list, [&names](const std::string& name) { return names.contains(name); });
  return TreatMissing(absent, missing, "--order",
                      "The names in the list of pairs are not those of the embeddings.", list,
                      remarks);
}

}  // namespace facegate
