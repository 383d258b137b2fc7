#pragma once

#include <memory>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/embeddings/named_photos.h"
#include "trainer/measure/embedding_set.h"
#include "trainer/measure/pair_list.h"
#include "trainer/photos/open_dataset.h"

namespace facegate {

// All photos that the pairs name, each once, in the order of names; looked for in `folder` as
// PhotoFinder::Find() does. Photos that are not there are kInvalidArgument, naming the first few;
// under kSkip their pairs are taken out of `list`, and `remarks` says how many.
StatusOr<std::unique_ptr<NamedPhotos>> FindPairPhotos(const std::string& folder,
                                                      MissingPhotos missing, PairList& list,
                                                      std::vector<std::string>& remarks);

// The same for embeddings that are there already: gives the photos of `list` the names that they
// have in `set`, where those differ in their endings alone.
Status MatchPairNames(const EmbeddingSet& set, MissingPhotos missing, PairList& list,
                      std::vector<std::string>& remarks);

}  // namespace facegate
