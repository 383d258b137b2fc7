#pragma once

#include <span>
#include <string>

namespace facegate {

// Says by what a digest tells files from others.
enum class FilesToldBy {
  kSizes,  // in their order: it stays where files are moved, copied, touched or made again alike
  kNamesSizesAndTimes,
};

// SHA-256, hexadecimal. What is no file counts, too.
std::string DigestOfFiles(std::span<const std::string> paths, FilesToldBy by);

}  // namespace facegate
