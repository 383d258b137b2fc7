#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "face/base/model_key.h"
#include "face/base/status.h"

namespace facegate {

inline constexpr char kLoadCollection[] = "people";
ModelKey LoadModel();

// The directory below `cache` of a store with one collection of so many templates, of the faces of
// MakeSearchFaces(); it is made where it is not there yet, without a sync for each identity.
StatusOr<std::filesystem::path> StoreOfTemplates(const std::filesystem::path& cache,
                                                 size_t templates);
// The identities of the store, two templates each, are these from 1 on.
std::string NameOfPerson(size_t person);

// A store that may be changed and leaves `store` as it is. Tables never change: the copies are
// links to them.
Status CopyStore(const std::filesystem::path& store, const std::filesystem::path& copy);

}  // namespace facegate
