#pragma once

#include <string>
#include <string_view>

namespace facegate {

// Says what a file is that was given for weights and is none: a web page, a Git LFS pointer, an
// archive, a file of another framework, a picture, text, an empty file; in a sentence with what to
// do. Empty where it may be weights: a zip archive (torch.save writes one), a pickle, and whatever
// is not recognised.
std::string ForeignWeights(std::string_view bytes);

}  // namespace facegate
